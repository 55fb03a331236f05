"""A process of its own that writes to a collection, to be killed, starved or raced by the tests.

`python collection_child.py write|hold|search DIRECTORY [FSIZE]`: says what happens, a line each.
`search` is done as a user who owns nothing, where the test runs as root.
"""

import json
import os
import random
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from test_ledger import document, embed, facts

from ragcli.errors import RagcliError
from ragcli.index.collection import Collection
from ragcli.settings import Settings

VERSIONS = 2
FILES = 7
SETTINGS = Settings.model_validate({"store": {"use": "embedded", "exact_below": 500}})


def sizes():
    """Chunks per version and file: some small, some that take several batches."""
    generator = random.Random(5)
    return {
        (version, number): generator.choice([1, 3, 30, 600])
        for version in range(VERSIONS)
        for number in range(FILES)
    }


def texts(version, number):
    return [
        f"file {number} part {part} of {sizes()[version, number]} version{version} "
        + ("same" if part % 2 else f"only {version}")
        for part in range(sizes()[version, number])
    ]


def write(collection, say=lambda word: None, versions=range(VERSIONS)):
    """Every file in every version, indexes brought level now and then; the last version stays."""
    ledger = collection.ledger
    with collection.writing():
        for version in versions:
            for number in range(FILES):
                staged = ledger.stage(facts(f"/r/{number}", digest=str(version)))
                for part in texts(version, number):
                    ledger.add_document(staged, document(part))
                say("staged")
                ledger.publish(staged)
                say("published")
                if number % 3 == 2:
                    collection.refresh()
                    say("found by words")
                    embed(ledger)
                    collection.refresh()
                    say("found by meaning")
        embed(ledger)
        collection.refresh()


def say(word):
    print(word, flush=True)


def become_nobody():
    """Give up root's rights, with all that is imported later already in hand."""
    import faiss
    import numpy
    import tantivy

    import ragcli.stores.embedded

    assert all((faiss, numpy.ctypeslib, tantivy, ragcli.stores.embedded))
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)


def main():
    what, directory = sys.argv[1], Path(sys.argv[2])
    if what == "search":
        become_nobody()
    if len(sys.argv) > 3:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
    try:
        with Collection.open(directory, "c", SETTINGS, create=what != "search") as collection:
            if what == "write":
                write(collection, say)
            elif what == "hold":
                with collection.writing():
                    say("holding")
                    time.sleep(600)
            else:
                hits = collection.lexical.search("part 2", 5)
                near = collection.dense.search([0.35] * 8, 5)
                say(json.dumps([hits, near, collection.warnings, collection.readonly]))
        say("done")
    except RagcliError as error:
        say(json.dumps([type(error).__name__, error.message, error.fix]))
    except BaseException as error:
        say(json.dumps(["bug", repr(error), str(os.getpid())]))
        raise


if __name__ == "__main__":
    main()
