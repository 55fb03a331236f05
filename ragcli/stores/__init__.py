"""Where vectors live: a plug board. A store holds vectors by number and finds the nearest; no text."""

from ragcli.registry import Plug

STORES = {"embedded": Plug("ragcli.stores.embedded")}
