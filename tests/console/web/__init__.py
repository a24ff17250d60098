"""The pages in a real Chromium, over a local AWS, and what they are made from."""
