"""All tests that come with PyPI's sdcadmin, unchanged, against the data center that they are configured for. Where its
services are differs each time, and so the addresses of the configuration are those that SAPI has."""

import os
import sys
import time
import unittest
import unittest.mock

# What it needs of `mock` has been in Python since.
sys.modules['mock'] = unittest.mock

from sdcadmin.datacenter import DataCenter
from sdcadmin.tests.config.test_config import TestConfig

GROUP = os.environ.get('PEER_GROUP', "sdcadmin's tests")
MODULES = [
    'functional', 'test_datacenter', 'test_job', 'test_machine', 'test_network', 'test_network_lifecycle',
    'test_package', 'test_vm_lifecycle', 'test_vm_networks_lifecycle',
]


class Lines(unittest.TestResult):
    """One line a test."""

    def addSuccess(self, test):
        print(f'ok   {GROUP}: {test.id()}', flush=True)

    def addError(self, test, err):
        super().addError(test, err)
        print(f'FAIL {GROUP}: {test.id()}: {err[0].__name__}: {err[1]}', flush=True)

    addFailure = addError

    def addSkip(self, test, reason):
        print(f'FAIL {GROUP}: {test.id()} is skipped: {reason}', flush=True)


# They wait half a minute for interfaces; here those are there in less than a second.
pause = time.sleep
time.sleep = lambda seconds: pause(min(seconds, 2))

sapi = os.environ['SDC_SAPI_URL'].removeprefix('http://')
found = DataCenter(sapi=sapi)
for api in DataCenter.APIS:
    setattr(TestConfig, f'{api}_ip', getattr(found, api).removeprefix('http://'))
tests = unittest.defaultTestLoader.loadTestsFromNames([f'sdcadmin.tests.{module}' for module in MODULES])
result = Lines()
tests.run(result)
if result.testsRun < 33:
    print(f'FAIL {GROUP}: {result.testsRun} tests, and there are 33')
print('done')
