"""What an AppEUI or DevEUI looks like wherever one is accepted: safe as one level of a topic."""

EUI_PATTERN = "[0-9A-Za-z_.:-]{1,64}"
