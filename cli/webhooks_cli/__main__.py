"""`python -m webhooks_cli` is the `webhooks` command."""

import sys

from webhooks_cli.main import main

sys.exit(main())
