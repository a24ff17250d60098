"""The CDK stacks: where uplinks are kept, and who may publish and read them."""
