"""The soak's scenarios, in a short form."""
