"""Private keys, CSRs and certificates: made, fetched and changed."""
