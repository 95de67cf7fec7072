"""One child's record, end to end: the journey that `make demo` shows and `tests/journeys` asserts."""
