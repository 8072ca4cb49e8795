#!/usr/bin/python3
"""Follows EndpointSlices with watch.Watch of the Python client, and says each event as a line of JSON.

watch.py --kubeconfig FILE [--namespace NAME] [--events FILE]

It has no knowledge of Hawser, and does what the documentation of the client says: it lists, watches from the version of
the list, and lists again when it is told that the version is too old (410). Lines:

  {"seq", "at", "event": "list", "resourceVersion", "objects": {"namespace/name": resourceVersion}, "relists"}
  {"seq", "at", "event": "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK", "key", "uid", "resourceVersion"}
  {"seq", "at", "event": "ended"}     a watch has ended; it goes on from the last version
  {"seq", "at", "event": "error", "code", "message"}
"""

import argparse
import datetime
import json
import signal
import sys
import time

import urllib3
from kubernetes import client, config, watch

AGAIN_S = 0.5
WATCH_S = 300


class Lines:
    """Lines of JSON, each of them whole, with a number and the time."""

    def __init__(self, file):
        self._out = open(file, "a", buffering=1) if file else sys.stdout
        self._seq = 0

    def say(self, **event):
        self._seq += 1
        now = datetime.datetime.utcnow().isoformat(timespec="milliseconds") + "Z"
        self._out.write(json.dumps({"seq": self._seq, "at": now, **event}) + "\n")
        self._out.flush()


def follow(api, lines, namespace):
    """Lists and watches for ever."""
    lister = api.list_namespaced_endpoint_slice if namespace else api.list_endpoint_slice_for_all_namespaces
    args = [namespace] if namespace else []
    version = None
    relists = -1
    while True:
        try:
            if version is None:
                found = lister(*args)
                relists += 1
                version = found.metadata.resource_version
                objects = {
                    f"{item.metadata.namespace}/{item.metadata.name}": item.metadata.resource_version
                    for item in found.items
                }
                lines.say(event="list", resourceVersion=version, objects=objects, relists=relists)
            follower = watch.Watch()
            for event in follower.stream(
                lister, *args, resource_version=version, timeout_seconds=WATCH_S, allow_watch_bookmarks=True
            ):
                metadata = event["raw_object"]["metadata"]
                version = metadata["resourceVersion"]
                lines.say(
                    event=event["type"],
                    key=f"{metadata.get('namespace', '')}/{metadata.get('name', '')}",
                    uid=metadata.get("uid", ""),
                    resourceVersion=version,
                )
            lines.say(event="ended")
        except client.ApiException as error:
            lines.say(event="error", code=error.status, message=str(error.reason))
            if error.status == 410:
                version = None
            else:
                time.sleep(AGAIN_S)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            # The connection has gone, in the middle of a line perhaps.
            lines.say(event="error", code=0, message=str(error))
            time.sleep(AGAIN_S)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kubeconfig", required=True)
    parser.add_argument("--namespace", default="")
    parser.add_argument("--events", default="")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    config.load_kube_config(options.kubeconfig)
    follow(client.DiscoveryV1Api(), Lines(options.events), options.namespace)


if __name__ == "__main__":
    main()
