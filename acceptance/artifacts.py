"""The bucket for the artefacts of a run's deployments: the run's own, so that nothing stays elsewhere."""

from collections.abc import Iterator

from botocore.exceptions import ClientError

from acceptance.account import Account
from acceptance.errors import RefusedError
from acceptance.names import Names

DEFAULT_REGION = "us-east-1"  # the one region that S3 does not take as a location
MISSING = {"404", "NoSuchBucket", "NotFound"}


def bucket_tags(account: Account, bucket: str) -> dict[str, str] | None:
    """Return a bucket's tags; None where there is no bucket. Raises RefusedError where it is another's."""
    s3 = account.client("s3")
    try:
        # A stranger can have made the bucket, as its name can be guessed, and let everyone read its tags.
        s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=account.id)
        tags = s3.get_bucket_tagging(Bucket=bucket, ExpectedBucketOwner=account.id)["TagSet"]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in MISSING:
            return None
        if code == "NoSuchTagSet":
            return {}
        raise RefusedError(f"the bucket {bucket} cannot be read: {error}") from None
    return {tag["Key"]: tag["Value"] for tag in tags}


def make_bucket(account: Account, names: Names) -> None:
    """Create the bucket with the tag, private, unless a former run has left it."""
    bucket, s3 = names.bucket(account.id, account.region), account.client("s3")
    if bucket_tags(account, bucket) is not None:
        return
    where = (
        {}
        if account.region == DEFAULT_REGION
        else {"CreateBucketConfiguration": {"LocationConstraint": account.region}}
    )
    s3.create_bucket(Bucket=bucket, **where)
    tags = [{"Key": key, "Value": value} for key, value in names.tags.items()]
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    s3.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )


def delete_bucket(account: Account, bucket: str) -> None:
    """Delete a bucket and its objects."""
    s3 = account.client("s3")
    for key in _keys(account, bucket):
        s3.delete_object(Bucket=bucket, Key=key)
    s3.delete_bucket(Bucket=bucket)


def _keys(account: Account, bucket: str) -> Iterator[str]:
    for page in account.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket):
        yield from (each["Key"] for each in page.get("Contents", []))
