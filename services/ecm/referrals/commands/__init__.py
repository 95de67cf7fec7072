"""The commands of `referrals`: load, decide, save. Each handler runs in the transaction of its answer."""
