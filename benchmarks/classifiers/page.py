"""The section of training/RESULTS.md about households and the report's classifier, from the experiment's JSON."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks import about
from benchmarks.wording import compared, item, listing, one_in, paragraph, percent, plain, table

Document = Mapping[str, Any]
PASSES, NAMED = "strangers likeliest", "named at 0.01"
ROWS = {
    "accuracy": "accuracy, as the report counts: the likeliest class",
    "likeliest": "members named, by the likeliest class",
    PASSES: "unseen people who pass, by the likeliest class",
    NAMED: "members named, threshold for 1 % of strangers",
    "strangers at 0.01": "... unseen people who pass",
    "named at 0.001": "members named, threshold for 0.1 % of strangers",
    "strangers at 0.001": "... unseen people who pass",
}
SHOWN = ("accuracy", PASSES, NAMED)
"""The rows in which splits are compared."""


def page(document: Document) -> list[str]:
    """Return the section, as lines of Markdown."""
    parts = (_setting, _search, _table, _negatives, _light, _split, _alike)
    lines = [line for part in parts for line in (*part(document), "")]
    return ["## The report's classifier for a household of five", "", *lines]


def _setting(document: Document) -> list[str]:
    groups, budget = document["people"]["groups"], document["budget"]
    strangers, choosing = groups["strangers of the test"], groups["strangers who choose thresholds"]
    sides = listing([f"{name} at {side} pixels" for name, side in document["sides"].items()])
    return [
        *paragraph(
            f"{budget['households']} households of five people of LFW, a seed each, against",
            f"{listing([str(count) for count in budget['negatives']])} other people, who are the class `unknown`.",
            "Half of a member's photos are learnt, a fifth ends the training early, the rest is the test.",
            f"{strangers['people']} strangers are in nothing but the test, with four photos at most;",
            f"{choosing['people']} others chose the thresholds, and nobody of the test chose a setting.",
            "Photos that nearly repeat another were left out. Intervals are of 95 %, by a bootstrap over trainings",
            "and, within them, over people with all their photos; strangers are the same people in every training.",
            f"The networks here are trained small: {sides}.",
        ),
        "",
        *_run(document),
        *(line for families, run in _later(document) for line in ("", f"{families}, in a later run:", *_run(run))),
    ]


def _run(found: Document) -> list[str]:
    trainings = found["trainings"]
    return [about.line(found["about"]), f"{trainings['count']} trainings, {trainings['minutes']:.0f} minutes."]


def _later(document: Document) -> Iterator[tuple[str, Document]]:
    """Yield the networks that were trained anew, named together if they were in one run, and that run."""
    families = defaultdict(list)
    for family, run in document.get("again", {}).items():
        families[run["about"]["command"]].append((family, run))
    for some in families.values():
        yield listing([family for family, _ in some]), some[0][1]


def _households_of_variants(document: Document) -> str:
    """Return of how many households light and clips are, and of which networks where these differ."""
    networks = defaultdict(list)
    for family in document["light"]:
        budget = document.get("again", {}).get(family, document)["budget"]
        networks[_households(budget["light_households"])].append(family)
    if len(networks) == 1:
        return next(iter(networks))
    return listing([f"{households} ({listing(families)})" for households, families in networks.items()])


def _households(count: int) -> str:
    return "one household" if count == 1 else f"{count} households"


def _search(document: Document) -> list[str]:
    lines = ["### The search", ""]
    for family, found in document["search"].items():
        if not found["settings"]:
            continue
        settings = ", ".join(f"{name} {_setting_text(value)}" for name, value in found["settings"].items())
        lines += item(
            f"{family}: {found['finished']} trials to their end, {found['ended early']} ended early,",
            f"{found['minutes']:.1f} minutes. Best: {settings}; it named {found['value']:.1%} of the search's own",
            f"validation photos rightly, the trial in the middle {found['middle']:.1%}. {_importance(found)}",
        )
        lines.append(f"  `{found['command']}`")
    return lines


def _importance(found: Document) -> str:
    ranked = sorted(found["importance"].items(), key=lambda pair: -pair[1])
    return f"Most decided by: {ranked[0][0]} ({ranked[0][1]:.0%})." if ranked else "Too few trials to rank settings."


def _setting_text(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _table(document: Document) -> list[str]:
    lines: list[str] = ["### What each network is worth", ""]
    for others in document["budget"]["negatives"]:
        found = {family: rows[str(others)] for family, rows in document["table"].items()}
        rows = [[text, *(percent(one[key]) for one in found.values())] for key, text in ROWS.items()]
        lines += [*table([f"against {others} others", *found], rows), ""]
    return lines + _worth(document)


def _worth(document: Document) -> list[str]:
    most = str(max(document["budget"]["negatives"]))
    lines: list[str] = []
    for family, rows in document["table"].items():
        row = rows[most]
        lines += item(
            f"**{family}**, against {most} others: an accuracy of {plain(row['accuracy'])} goes with",
            f"{plain(row[PASSES])} of unseen people's photos being given a name ({one_in(row[PASSES]['value'])}).",
            f"Where 1 % may pass, it names {plain(row[NAMED])} of the members' photos; where 0.1 % may,",
            f"{plain(row['named at 0.001'])}.",
        )
    return lines


def _negatives(document: Document) -> list[str]:
    counts = sorted(document["budget"]["negatives"])
    few, many = str(counts[0]), str(counts[-1])
    chart = "![Unseen people who pass, and members named, by the number of people learnt](results/report-negatives.png)"
    lines = ["### What more other people bring", "", chart, ""]
    for family, rows in document["table"].items():
        passes = _changed(rows[few][PASSES], rows[many][PASSES], "unseen people pass")
        named = _changed(rows[few][NAMED], rows[many][NAMED], "members are named")
        lines += item(f"{family}, from {few} to {many} others: {passes}, and at 1 % {named}.")
    return lines


def _changed(before: Document, after: Document, what: str) -> str:
    word = compared(after, before, f"more {what}", f"fewer {what}", f"it is not sure that more or fewer {what}")
    return f"{word} ({plain(before)} to {plain(after)})"


def _light(document: Document) -> list[str]:
    lines = [
        "### Low light and light from behind",
        "",
        *paragraph(
            f"The report complained of both. Measured with {_households_of_variants(document)},",
            f"against {document['middle']} others each,",
            "trained with three augmentations: none, the report's (turns, shifts, zoom), and the one made for doors",
            "(light, gamma, light from a side, blur, noise and size as well). Members named with the threshold for 1 %",
            "of strangers, which was chosen on photos as taken. The light is changed in the crop: the detector is not",
            "tested here.",
        ),
        "",
        "![Members named in each light, by augmentation](results/report-light.png)",
        "",
    ]
    for family, arms in document["light"].items():
        lines += [*_light_table(family, arms), "", *_mended(family, arms), ""]
    return lines


def _light_table(family: str, arms: Document) -> list[str]:
    head = [family, *(f"trained with {name}" for name in arms)]
    lights = next(iter(arms.values()))
    return table(head, [[light, *(_in_light(arm[light]) for arm in arms.values())] for light in lights])


def _in_light(found: Document) -> str:
    return f"{percent(found['named'])}; strangers {plain(found['strangers'])}"


def _mended(family: str, arms: Document) -> list[str]:
    lines: list[str] = []
    for light in list(arms["none"])[1:]:
        word = compared(
            arms["door"][light]["named"],
            arms["none"][light]["named"],
            "names more members than none does",
            "names fewer members than none does",
            "is not surely better or worse than none",
        )
        lines += item(f"{family}, {light}: the augmentation made for doors {word}.")
    return lines


def _split(document: Document) -> list[str]:
    lines = [
        "### Split by photo, by clip, by frame",
        "",
        *paragraph(
            "LFW has photos only, and the videos at hand show nobody by name. So each photo was made into a clip of",
            "four frames (a step to the side, light, blur, noise): synthetic, and kinder than a video. Split by clip,",
            "a clip's frames are in one part. Split by frame, three of them are learnt and the fourth is the test, as",
            "where a video's frames are divided at random. The split by photo is of all households, those by clip and",
            f"by frame are of {_households_of_variants(document)}.",
        ),
        "",
    ]
    rows = []
    for family, splits in document["split"].items():
        photo = document["table"][family][str(document["middle"])]
        for key in SHOWN:
            cells = [percent(one[key]) for one in (photo, splits["clip"], splits["frame"])]
            rows.append([f"{family}: {ROWS[key]}", *cells])
    return [*lines, *table(["", "by photo", "by clip", "by frame"], rows), "", *_flattered(document)]


def _flattered(document: Document) -> list[str]:
    lines: list[str] = []
    for family, splits in document["split"].items():
        word = compared(
            splits["frame"]["accuracy"],
            splits["clip"]["accuracy"],
            "makes the accuracy seem higher",
            "makes the accuracy seem lower",
            "gives no surely other accuracy",
        )
        passes = plain(splits["frame"][PASSES])
        lines += item(f"{family}: a split by frame {word}; of unseen people's photos {passes} pass.")
    return lines


def _alike(document: Document) -> list[str]:
    head = ["", "look-alikes who pass", "other strangers who pass", "look-alikes pass"]
    rows = [
        [
            family,
            percent(one["alike"]),
            percent(one["others"]),
            compared(one["alike"], one["others"], "more", "less", "not surely more"),
        ]
        for family, one in document["alike"].items()
    ]
    return [
        "### Look-alikes of the members",
        "",
        *paragraph(
            f"For each member, the {document['alike_count']} strangers of the test whom the bundled embedder finds",
            "most alike, against all other strangers, at the threshold for 1 %. For the head this is circular: it",
            "stands on the embedder that chose whom to try.",
        ),
        "",
        *table(head, rows),
    ]
