"""PyPI's sdcadmin, ported to Python 3 by `run`, against the data center of its own tests: it discovers the services, and
makes, polls, stops and deletes VMs and networks. One line a case, and `done` in the end, as the other groups."""

import os
import time

from netaddr import IPNetwork
from sdcadmin.datacenter import DataCenter
from sdcadmin.tests.config.test_config import TestConfig as config

GROUP = os.environ.get('PEER_GROUP', 'sdcadmin')


def case(name):
    """A case runs where it stands, and what it returns takes its name's place."""
    def ran(body):
        try:
            result = body()
        except Exception as error:
            print(f'FAIL {GROUP}: {name}: {type(error).__name__}: {error}', flush=True)
            raise SystemExit(1)
        print(f'ok   {GROUP}: {name}', flush=True)
        return result
    return ran


def wait_for(what, seconds=30):
    """The library has no way to wait for interfaces."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, 'it takes too long'
        time.sleep(0.1)


@case('the services are found by SAPI alone')
def dc():
    found = DataCenter(sapi=os.environ['SDC_SAPI_URL'].removeprefix('http://'))
    urls = [getattr(found, api) for api in DataCenter.APIS]
    assert len(set(urls)) == len(urls), urls
    assert found.healthcheck_vmapi()
    return found


@case('what is there is listed, and got one by one')
def listed():
    assert dc.list_smart_machines() and dc.list_kvm_machines()
    for machine in dc.list_machines():
        assert dc.get_machine(machine.uuid) == machine
    assert dc.list_machines(config.user_uuid, dc.STATE_RUNNING) == []
    assert all(package.owner_uuids for package in dc.list_packages())
    small = dc.get_package(config.package_small)
    assert small in dc.list_packages() and small.quota >= 10240
    jobs = dc.list_jobs()
    assert jobs and jobs[-1].workflow_uuid and dc.get_job(jobs[-1].uuid) == jobs[-1]
    assert len(dc.list_networks()) > 1
    unknown = '00000000-0000-4000-8000-000000000000'
    for get in [dc.get_machine, dc.get_package, dc.get_job, dc.get_network]:
        assert get(unknown) is None, get


@case('a network is made, and got')
def network():
    made = dc.create_network(
        name=config.network_name, owner_uuids=[config.user_uuid], subnet=config.subnet, gateway=config.gateway,
        provision_start_ip=config.provision_start_ip, provision_end_ip=config.provision_end_ip,
        vlan_id=config.vlan_id, nic_tag=config.nic_tag, resolvers=config.resolvers, routes=config.routes,
        description=config.network_description)
    assert dc.get_network(made.uuid) == made and made.vlan_id == int(config.vlan_id)
    return made


@case('a smart network takes the next VLAN and subnet that are free')
def smart_network():
    vlan, subnet = dc.next_free_vlan(), dc.next_free_network(24)
    made = dc.create_smart_network('john_net', [config.user_uuid])
    assert (made.vlan_id, IPNetwork(made.subnet)) == (vlan, IPNetwork(subnet))
    assert dc.next_free_vlan() != vlan and dc.next_free_network(24) != subnet
    made.delete()
    assert dc.get_network(made.uuid) is None
    return made


def lifecycle(made, kind):
    """From the first poll to the last, of a VM that was just asked for."""
    assert not made.is_running(), 'it is not running at once'
    assert dc.get_job(made.creation_job_uuid).vm_uuid == made.uuid
    made.poll_until(dc.STATE_RUNNING)
    assert made.is_running() and dc.get_machine(made.uuid) == made
    assert made in kind(config.user_uuid, dc.STATE_RUNNING)
    made.stop()
    assert not made.is_stopped(), 'nor is it stopped at once'
    made.poll_until(dc.STATE_STOPPED)
    assert made.is_stopped()
    made.start()
    made.poll_while(dc.STATE_STOPPED)
    assert made.is_running()
    made.add_nic(network.uuid, config.test_ip_1)
    wait_for(lambda: made.is_attached_to_network(network.uuid))
    assert [nic['ip'] for nic in made.nics][1] == config.test_ip_1
    made.remove_nic(made.nics[1]['mac'])
    wait_for(lambda: not made.is_attached_to_network(network.uuid))
    made.delete()
    assert not made.is_destroyed(), 'nor is it gone at once'
    made.poll_until(dc.STATE_DESTROYED)
    assert made.is_destroyed() and made not in kind(config.user_uuid, dc.STATE_RUNNING)


@case('a smart machine is made, stopped, started, attached, detached and deleted')
def smart():
    lifecycle(dc.create_smart_machine(
        owner=config.user_uuid, networks=[config.external_network_uuid], package=config.package_small,
        image=config.smartmachine_image, alias='my_first_smart_machine', user_script='touch /x'),
        dc.list_smart_machines)


@case('a KVM machine is too')
def kvm():
    lifecycle(dc.create_kvm_machine(
        config.user_uuid, [config.external_network_uuid], config.package_small, config.kvm_image,
        'my_first_kvm_machine'), dc.list_kvm_machines)


@case('the network is deleted when nothing is on it')
def emptied():
    network.delete()
    assert dc.get_network(network.uuid) is None


print('done')
