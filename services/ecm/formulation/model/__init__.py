"""Rules, without I/O: from contents and a command to new content, or a DomainError."""
