"""All that tries the product: the local AWS, its demo, the bench and the soak."""
