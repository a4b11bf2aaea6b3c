"""How live is live? `python -m tests.bench.fanout [--figures fanout,burst] [--quick]`

Baselines run beside the product, in turns, each server and its crowd of sockets in processes of their own; the
figures are ratios of medians. Every frame is checked for count, order and content, and a second account that is
connected all along must get none. It ends with status 1 when a goal is missed.
"""

import argparse
import sys
from importlib import import_module

from tests.bench.ground import fresh_database, machine

FIGURES = {
    "fanout": "figures_delivery",
    "fanout_2000": "figures_delivery",
    "burst": "figures_delivery",
    "slow_database": "figures_delivery",
    "stuck": "figures_memory",
    "idle": "figures_memory",
    "refetch": "figures_pages",
    "page": "figures_pages",
    "whole_path": "figures_pages",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--figures", default=",".join(FIGURES), help="some of: %(default)s")
    parser.add_argument("--quick", action="store_true", help="few repeats: to try the benchmark, not to believe it")
    told = parser.parse_args()
    print(machine(), flush=True)
    with fresh_database():
        reached = [measure(name, quick=told.quick) for name in told.figures.split(",")]
    return int(not all(reached))


def measure(name: str, *, quick: bool) -> bool:
    """Print the figures of one scene; False if one misses its goal."""
    from tests.bench.processes import allow_many_sockets
    from tests.bench.scene import Scene, load

    allow_many_sockets()
    figures = getattr(import_module(f"tests.bench.{FIGURES[name]}"), name)(Scene(quick=quick))
    for figure in figures:
        print(figure, f"[{name}; {load()}]", flush=True)
    return all(figure.reached for figure in figures)


if __name__ == "__main__":
    sys.exit(main())
