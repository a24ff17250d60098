"""Forwards a LoRaWAN network server's device messages to AWS IoT, losing none."""
