"""Asks a local API with the official Python client; prints what it saw as one JSON object.

Arguments: URL, file with the authority, token, token without rights.
"""

import json
import sys

from kubernetes import client, watch
from kubernetes.client.rest import ApiException

url, authority, token, poor = sys.argv[1:5]


def api(bearer):
    configuration = client.Configuration()
    configuration.host = url
    configuration.ssl_ca_cert = authority
    configuration.api_key = {"authorization": "Bearer " + bearer}
    return client.ApiClient(configuration)


core = client.CoreV1Api(api(token))
slices = client.DiscoveryV1Api(api(token))
facts = {}
services = core.list_namespaced_service("default")
facts["services"] = [item.metadata.name for item in services.items]
listed = slices.list_namespaced_endpoint_slice("default")
facts["slices"] = {item.metadata.name: item.endpoints[0].addresses for item in listed.items}
facts["pods"] = [
    item.metadata.name for item in core.list_pod_for_all_namespaces(field_selector="spec.nodeName=edge-1").items
]
print(json.dumps({"listed": True}), flush=True)
seen = []
stream = watch.Watch()
for event in stream.stream(
    slices.list_namespaced_endpoint_slice,
    "default",
    resource_version=listed.metadata.resource_version,
    timeout_seconds=20,
):
    seen.append([event["type"], event["object"].metadata.name])
    if len(seen) == 3:
        stream.stop()
facts["seen"] = seen


def refusal(call):
    try:
        call()
    except ApiException as error:
        return [error.status, json.loads(error.body)["reason"]]
    return "nothing"


facts["poor"] = refusal(lambda: client.CoreV1Api(api(poor)).list_namespaced_service("default"))
facts["wrong"] = refusal(lambda: client.CoreV1Api(api("x.y.z")).list_namespaced_service("default"))
facts["far"] = refusal(lambda: core.list_namespaced_config_map("default"))
print(json.dumps(facts))
