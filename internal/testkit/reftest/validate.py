"""Validates the files named in a JSON list on stdin against the schema argv[1].

Prints a JSON object: base name of each invalid file -> list of problems.
"""
import json
import os
import sys

from lxml import etree

parser = etree.XMLParser(no_network=True, resolve_entities=False)
schema = etree.XMLSchema(etree.parse(sys.argv[1], parser))
result = {}
for name in json.load(sys.stdin):
    try:
        document = etree.parse(name, etree.XMLParser(no_network=True, resolve_entities=False))
    except etree.XMLSyntaxError as error:
        result[os.path.basename(name)] = [f"not well-formed: {error}"]
        continue
    if not schema.validate(document):
        result[os.path.basename(name)] = [
            f"line {entry.line}: {entry.message}" for entry in schema.error_log
        ]
json.dump(result, sys.stdout)
