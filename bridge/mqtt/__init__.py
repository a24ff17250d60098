"""MQTT 5 on the AWS SDK, which no other room imports."""
