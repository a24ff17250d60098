"""The function behind the table: it decodes new uplinks, and lists the devices that sent them."""
