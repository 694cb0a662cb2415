//! Networks, their addresses, fabrics, and firewall rules.

use sdc::api::cloudapi::{fabrics, fwrules, networks};

use super::Vector;

pub fn vectors() -> Vec<Vector> {
    vec![
        (&networks::LIST, &[], "GET /acme/networks", ""),
        (&networks::LIST, &[("fabric", "true")], "GET /acme/networks?fabric=true", ""),
        (&networks::GET, &[("network", "n1"), ("fabric", "true")], "GET /acme/networks/n1?fabric=true", ""),
        (
            &networks::IP_LIST,
            &[("network", "n1"), ("limit", "100"), ("offset", "200")],
            "GET /acme/networks/n1/ips?limit=100&offset=200",
            "",
        ),
        (&networks::IP_GET, &[("network", "n1"), ("ip", "10.0.0.7")], "GET /acme/networks/n1/ips/10.0.0.7", ""),
        (
            &networks::IP_UPDATE,
            &[("network", "n1"), ("ip", "10.0.0.7"), ("reserved:", "false")],
            "PUT /acme/networks/n1/ips/10.0.0.7",
            r#"{"reserved":false}"#,
        ),
        // Fabrics, which know no other parameter than these
        (&fabrics::VLAN_LIST, &[], "GET /acme/fabrics/default/vlans", ""),
        (&fabrics::VLAN_GET, &[("vlan", "100")], "GET /acme/fabrics/default/vlans/100", ""),
        (
            &fabrics::VLAN_CREATE,
            &[("vlan_id:", "100"), ("name", "backend"), ("description", "databases")],
            "POST /acme/fabrics/default/vlans",
            r#"{"vlan_id":100,"name":"backend","description":"databases"}"#,
        ),
        (
            &fabrics::VLAN_UPDATE,
            &[("vlan", "100"), ("name", "front"), ("description", "")],
            "PUT /acme/fabrics/default/vlans/100",
            r#"{"name":"front","description":""}"#,
        ),
        (&fabrics::VLAN_DELETE, &[("vlan", "100")], "DELETE /acme/fabrics/default/vlans/100", ""),
        (&fabrics::NETWORK_LIST, &[("vlan", "100")], "GET /acme/fabrics/default/vlans/100/networks", ""),
        (
            &fabrics::NETWORK_GET,
            &[("vlan", "100"), ("fabricnetwork", "n1")],
            "GET /acme/fabrics/default/vlans/100/networks/n1",
            "",
        ),
        (
            &fabrics::NETWORK_CREATE,
            &[
                ("vlan", "100"),
                ("name", "lan"),
                ("subnet", "10.10.0.0/24"),
                ("provision_start_ip", "10.10.0.5"),
                ("provision_end_ip", "10.10.0.250"),
                ("gateway", "10.10.0.1"),
                ("resolvers:", r#"["8.8.8.8","9.9.9.9"]"#),
                ("routes:", r#"{"10.25.1.0/21":"10.10.0.2"}"#),
                ("internet_nat:", "false"),
                ("description", "databases"),
            ],
            "POST /acme/fabrics/default/vlans/100/networks",
            r#"{"name":"lan","subnet":"10.10.0.0/24","provision_start_ip":"10.10.0.5",
                "provision_end_ip":"10.10.0.250","gateway":"10.10.0.1","resolvers":["8.8.8.8","9.9.9.9"],
                "routes":{"10.25.1.0/21":"10.10.0.2"},"internet_nat":false,"description":"databases"}"#,
        ),
        (
            &fabrics::NETWORK_UPDATE,
            &[
                ("vlan", "100"),
                ("fabricnetwork", "n1"),
                ("name", "lan"),
                ("description", ""),
                ("provision_start_ip", "10.10.0.6"),
                ("provision_end_ip", "10.10.0.251"),
                ("resolvers:", "[]"),
                ("routes:", "{}"),
            ],
            "PUT /acme/fabrics/default/vlans/100/networks/n1",
            r#"{"name":"lan","description":"","provision_start_ip":"10.10.0.6","provision_end_ip":"10.10.0.251",
                "resolvers":[],"routes":{}}"#,
        ),
        (
            &fabrics::NETWORK_DELETE,
            &[("vlan", "100"), ("fabricnetwork", "n1")],
            "DELETE /acme/fabrics/default/vlans/100/networks/n1",
            "",
        ),
        // Firewall rules. A new one is off for the server, and on for people.
        (&fwrules::LIST, &[], "GET /acme/fwrules", ""),
        (&fwrules::GET, &[("fwrule", "r1")], "GET /acme/fwrules/r1", ""),
        (
            &fwrules::CREATE,
            &[("rule", "FROM any TO all vms ALLOW tcp PORT 22")],
            "POST /acme/fwrules",
            r#"{"rule":"FROM any TO all vms ALLOW tcp PORT 22","enabled":true}"#,
        ),
        (
            &fwrules::CREATE,
            &[
                ("rule", "FROM any TO all vms ALLOW tcp PORT 22"),
                ("enabled:", "false"),
                ("log:", "true"),
                ("description", "ssh"),
                ("role-tag", "ops"),
            ],
            "POST /acme/fwrules\nrole-tag: ops",
            r#"{"rule":"FROM any TO all vms ALLOW tcp PORT 22","enabled":false,"log":true,"description":"ssh"}"#,
        ),
        (
            &fwrules::UPDATE,
            &[
                ("fwrule", "r1"),
                ("rule", "FROM any TO all vms BLOCK tcp PORT 22"),
                ("enabled:", "true"),
                ("log:", "false"),
                ("description", ""),
            ],
            "POST /acme/fwrules/r1",
            r#"{"rule":"FROM any TO all vms BLOCK tcp PORT 22","enabled":true,"log":false,"description":""}"#,
        ),
        (&fwrules::ENABLE, &[("fwrule", "r1")], "POST /acme/fwrules/r1/enable", ""),
        (&fwrules::DISABLE, &[("fwrule", "r1")], "POST /acme/fwrules/r1/disable", ""),
        (&fwrules::DELETE, &[("fwrule", "r1")], "DELETE /acme/fwrules/r1", ""),
        (
            &fwrules::MACHINES,
            &[("fwrule", "r1"), ("credentials", "true")],
            "GET /acme/fwrules/r1/machines?credentials=true",
            "",
        ),
    ]
}
