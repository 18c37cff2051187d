"""Reproduce the report of 2020 on public photos: households against strangers, then one person as the report has it.

    python -m benchmarks.report_2020 --out DIR [--data ../shared/data] [--results training/results]
        [--households 5] [--negatives 20 100 400] [--search hugonet "compact cnn"] [--trials 40] [--epochs 40]
        [--full-epochs 10] [--only hugonet "compact cnn" "compact head"]

``hugonet`` is the report's network, on its kind of crops (square, by MTCNN) and with its augmentation among those that
are searched; ``compact`` is facesecure's, as a separate network (cnn) and as a head on the bundled embedder, on aligned
crops of the same photos. Steps: the search, at a reduced size; households of five; one person against the rest, with
hugonet at its full 224 pixels. Steps that are done are not repeated: stop it with Ctrl-C, and run the same command
again. With --results the figures are written there, and the page beside it anew. With one search, one variant,
30 epochs and without hugonet's full size it took two and a quarter hours of one busy core; the defaults take longer.
With --only, some networks are trained anew for the households, and all other figures stay as the results have them;
so do the settings, unless --search names the network.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import one_person, training_page
from benchmarks.about import about
from benchmarks.classifiers import alike, charts, embedding, summary
from benchmarks.classifiers import page as households
from benchmarks.classifiers.experiment import DIVISION_SEED, Experiment
from benchmarks.classifiers.people import LEAST_PHOTOS
from benchmarks.classifiers.plan import FAMILIES, Budget
from benchmarks.steps import Steps

Document = dict[str, Any]
BY_NETWORK = ("sides", "search", "table", "light", "split", "alike")
"""What the results have of each network."""
CHARTS = {"report-negatives.png": charts.negatives, "report-light.png": charts.light}


def main(words: Sequence[str] | None = None) -> None:
    """Run everything, and write the results on request."""
    options = parser().parse_args(words)
    data, steps, before = options.data.resolve(), Steps(options.out), _before(options)
    try:
        document = measure(steps, data, budget(options), options.least, options.full_epochs, before)
    except KeyboardInterrupt:
        sys.exit(f"stopped: what is done is kept in {options.out}; the same command continues")
    document["about"] = about(["python", "-m", "benchmarks.report_2020", *_stated(words)], DIVISION_SEED, data)
    document = document if before is None else renewed(before, document)
    if options.results:
        charts.negatives(options.results / "report-negatives.png", document["table"])
        charts.light(options.results / "report-light.png", document["light"])
        if before is None:
            one_person.copy_charts(steps.folder, options.results)
        training_page.write("report", document, options.results)
    print("\n".join(page(document)))


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser; the defaults are those of ``Budget``."""
    usual = Budget()
    found = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--data", type=Path, default=Path("../shared/data"), help="the folder that holds lfw-dev")
    found.add_argument("--out", type=Path, required=True, help="folder for all intermediate results")
    found.add_argument("--results", type=Path, help="folder for figures and charts: training/results")
    found.add_argument("--households", type=int, default=usual.households, help="households, each with its seed")
    found.add_argument("--negatives", type=int, nargs="+", default=list(usual.negatives), help="other people learnt")
    found.add_argument(
        "--search",
        nargs="+",
        choices=usual.searched,
        help="whose settings are searched; with --only, none's by default",
    )
    found.add_argument("--trials", type=int, default=usual.trials, help="trials of each search")
    found.add_argument("--epochs", type=int, default=usual.epochs, help="epochs of a household's training, at most")
    found.add_argument(
        "--full-epochs", type=int, default=10, help="epochs of hugonet at 224 pixels, at most; 0: leave out"
    )
    found.add_argument(
        "--variants", type=int, default=usual.light_households, help="households for light and for clips"
    )
    found.add_argument(
        "--only", nargs="+", choices=tuple(FAMILIES), default=[], help="networks to train anew, the others kept"
    )
    found.add_argument("--least", type=int, default=LEAST_PHOTOS, help="photos that a member has at least")
    return found


def budget(options: argparse.Namespace) -> Budget:
    """Return what the options ask for."""
    return Budget(
        households=options.households,
        negatives=tuple(sorted(options.negatives)),
        trials=options.trials,
        epochs=options.epochs,
        light_households=min(options.variants, options.households),
        clip_households=min(options.variants, options.households),
        searched=_searched(options),
        only=tuple(options.only),
        search_others=min(Budget().search_others, max(options.negatives)),
    )


def measure(
    steps: Steps, data: Path, chosen: Budget, least: int, full_epochs: int, before: Document | None = None
) -> Document:
    """Return everything measured; one person alone only if all networks are.

    Raises UsageError for too few people, Leak if the division is not clean, and SystemExit if what was measured
    ``before``, of which some networks are renewed, is of other people.
    """
    images = data / "lfw-dev/images"
    experiment = Experiment(steps, images, chosen, least)
    people = experiment.facts()
    if before is not None:
        require_same(before, people, chosen)
    searched = experiment.search(before["search"] if before else {})
    judged = experiment.run(searched)
    photos = {name: some for name, some in experiment.photos.items() if some}
    vectors = embedding.embeddings(steps.folder / "crops/aligned", photos, steps.folder / "embeddings.npz")
    alone = 0 if chosen.only else full_epochs
    minutes = sum(steps.record(f"runs/{unit.name}")["seconds"] for unit in judged) / 60
    return {
        "budget": {"households": chosen.households, "negatives": list(chosen.negatives), "trials": chosen.trials,
                   "epochs": chosen.epochs, "light_households": chosen.light_households},
        "middle": chosen.middle,
        "sides": {name: FAMILIES[name].side for name in chosen.families},
        "people": people,
        "search": searched,
        "trainings": {"count": len(judged), "minutes": minutes},
        **summary.sum_up(judged, chosen),
        "alike": alike.passing(judged, vectors, experiment.division.households, chosen),
        "alike_count": alike.ALIKE,
        "one_person": alone and one_person.measure(steps, images, searched, experiment.chose, alone),
    }  # fmt: skip


def renewed(before: Document, document: Document) -> Document:
    """Return the results ``before``, with those networks as in ``document`` that were trained anew."""
    run = {name: document[name] for name in ("about", "trainings", "budget")}
    found = {name: {**before[name], **document[name]} for name in BY_NETWORK}
    return {**before, **found, "again": {**before.get("again", {}), **dict.fromkeys(document["table"], run)}}


def require_same(before: Mapping[str, Any], people: Mapping[str, Any], chosen: Budget) -> None:
    """Raise SystemExit if the results ``before`` are of other ``people``, households or numbers of others."""
    found = before["people"]["digest"], before["budget"]["households"], before["budget"]["negatives"]
    if found != (people["digest"], chosen.households, list(chosen.negatives)):
        raise SystemExit("the results are of other people, households or --negatives: measure all networks anew")


def _searched(options: argparse.Namespace) -> tuple[str, ...]:
    usual = () if options.only else Budget().searched
    return usual if options.search is None else tuple(options.search)


def _before(options: argparse.Namespace) -> Document | None:
    """Return the results that --only renews, None without it. Raises SystemExit if there are none."""
    if not options.only:
        return None
    before = training_page.read(options.results / "report.json") if options.results else None
    if before is None:
        raise SystemExit("--only renews what is in the folder --results, and there is no report.json")
    return before


def page(document: Mapping[str, Any]) -> list[str]:
    """Return the sections about the report, as lines of Markdown."""
    alone = one_person.page(document["one_person"]) if document.get("one_person") else []
    return [*households.page(document), "", *alone]


def _stated(words: Sequence[str] | None) -> list[str]:
    return list(sys.argv[1:] if words is None else words)


if __name__ == "__main__":
    main()
