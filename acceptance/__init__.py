"""`make aws-accept`: deploys into the caller's AWS account, tests there, reports, deletes everything."""
