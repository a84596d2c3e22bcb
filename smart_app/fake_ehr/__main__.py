"""`python -m smart_app.fake_ehr`."""

import sys

from smart_app.fake_ehr.serve import main

sys.exit(main())
