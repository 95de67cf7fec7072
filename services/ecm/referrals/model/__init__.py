"""The rules of `referrals`: pure functions from contents and a command to a new content, or a DomainError."""
