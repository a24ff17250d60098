"""MQTT 5 on the AWS SDK and on paho, which no other room imports."""
