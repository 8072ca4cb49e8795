"""Asks an API server with the official Python client; prints what it saw as one JSON object."""

import json
import sys

from kubernetes import client, watch
from kubernetes.client.rest import ApiException

configuration = client.Configuration()
configuration.host = sys.argv[1]
core = client.CoreV1Api(client.ApiClient(configuration))
facts = {}


def names(listed):
    return [item.metadata.name for item in listed.items]


whole = core.list_namespaced_config_map("default")
facts["names"] = names(whole)

pages, remaining, versions, token = [], [], set(), None
while True:
    page = core.list_namespaced_config_map("default", limit=3, **({"_continue": token} if token else {}))
    pages.append(names(page))
    remaining.append(page.metadata.remaining_item_count)
    versions.add(page.metadata.resource_version)
    token = page.metadata._continue
    if not token:
        break
facts["pages"] = pages
facts["remaining"] = remaining
facts["oneVersionForAllPages"] = len(versions) == 1
facts["odd"] = names(core.list_namespaced_config_map("default", label_selector="parity=odd"))

created = core.create_namespaced_config_map("default", {"metadata": {"name": "new"}, "data": {"a": "1"}})
core.patch_namespaced_config_map("new", "default", {"data": {"a": "2"}})
core.delete_namespaced_config_map("new", "default")


def watched(version, count):
    seen = []
    stream = watch.Watch()
    for event in stream.stream(
        core.list_namespaced_config_map, "default", resource_version=version, timeout_seconds=20
    ):
        seen.append((event["type"], event["object"].metadata.name, int(event["object"].metadata.resource_version)))
        if len(seen) == count:
            stream.stop()
    return seen


events = watched(whole.metadata.resource_version, 3)
facts["watched"] = [f"{kind} {name}" for kind, name, _ in events]
facts["versionsGrow"] = [version for _, _, version in events] == sorted({version for _, _, version in events})
facts["watchedFromTheMiddle"] = [f"{kind} {name}" for kind, name, _ in watched(created.metadata.resource_version, 2)]

# The history is short: these writes push the beginning out of it.
for i in range(60):
    core.patch_namespaced_config_map("c0", "default", {"data": {"value": str(i)}})
try:
    watched(whole.metadata.resource_version, 1)
    facts["goneWatch"] = "nothing"
except ApiException as error:
    facts["goneWatch"] = error.status


def refusal(call):
    try:
        call()
    except ApiException as error:
        return [error.status, json.loads(error.body)["reason"]]
    return "nothing"


stale = core.read_namespaced_config_map("c0", "default")
core.patch_namespaced_config_map("c0", "default", {"data": {"value": "meanwhile"}})
facts["conflict"] = refusal(lambda: core.replace_namespaced_config_map("c0", "default", stale))
facts["missing"] = refusal(lambda: core.read_namespaced_config_map("nosuch", "default"))
print(json.dumps(facts))
