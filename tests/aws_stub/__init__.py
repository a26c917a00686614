"""AWS replaced at botocore's door: stubs that tests and benchmarks share. Nothing leaves the process."""
