"""What tests, bench and soak stand on: brokers, a link, counting, and looks from outside."""
