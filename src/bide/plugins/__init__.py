"""What is built on the lifecycle, and the bridge between jobs and texts."""
