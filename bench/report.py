"""Makes a page and two charts of what measure.py has kept.

    python3 bench/report.py SAMPLES.json [DIRECTORY]

results.md, latency.svg and cost.svg in DIRECTORY (here, unless it is given) are written anew. Which
lines there are, stands in lines.py. A value is the median of the rounds; a ratio is that of the
rounds' own ratios, as what disturbs a round disturbs both of its parts.
"""
import json
import pathlib
import statistics
import sys

import lines


class Samples:
    def __init__(self, samples):
        self.of = samples

    def rounds(self, name):
        """A list, empty if nothing was measured."""
        return self.of.get(name, [])

    def value(self, name):
        found = self.rounds(name)
        return statistics.median(found) if found else None

    def ratios(self, name, to):
        return [one / other for one, other in zip(self.rounds(name), self.rounds(to)) if other > 0]


def time(nanoseconds):
    """With three digits, in the unit that suits."""
    for limit, unit, factor in ((1e3, "ns", 1), (1e6, "µs", 1e3), (1e9, "ms", 1e6)):
        if nanoseconds < limit:
            break
    else:
        unit, factor = "s", 1e9
    return f"{digits(nanoseconds / factor)} {unit}"


def digits(number):
    return f"{number:.2f}" if number < 10 else f"{number:.1f}" if number < 100 else f"{number:.0f}"


def amount(name, value):
    if value is None:
        return "not measured"
    return f"{value:.0f} bytes" if name.endswith(":bytes") else time(value)


def spread(found, show):
    return f"{show(min(found))} to {show(max(found))}" if len(found) > 1 else "one round"


def table(head, rows, right=()):
    ruler = ["---:" if i in right else "---" for i in range(len(head))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, ruler, *rows]) + "\n"


def judged(samples, budget):
    """The numbers that a budget is about, one a round: ratios, or amounts."""
    return samples.ratios(budget.ours, budget.to) if budget.to else samples.rounds(budget.ours)


def is_missed(samples, budget):
    found = judged(samples, budget)
    return bool(found) and statistics.median(found) > budget.limit


def budget_row(samples, budget):
    found = judged(samples, budget)
    if budget.to:
        show = digits
        against = f"{budget.to_what}: {amount(budget.to, samples.value(budget.to))}"
        limit = f"≤ {budget.limit:g} ×"
        ratio = f"{digits(statistics.median(found))} ×" if found else "–"
    else:
        show = lambda value: amount(budget.ours, value)
        against, limit, ratio = "–", f"≤ {show(budget.limit)}", "–"
    if not found:
        verdict = "not measured"
    elif not is_missed(samples, budget):
        verdict = "kept"
    else:
        verdict = "**missed**" + (", kept in a round" if min(found) <= budget.limit else "")
    ours = amount(budget.ours, samples.value(budget.ours))
    return [budget.line, budget.what, ours, against, ratio,
            spread(found, show) if found else "–", limit, verdict]


def budgets(samples):
    rows = [budget_row(samples, one) for one in lines.BUDGETS]
    page = table(["", "what", "ours", "measured against", "ratio", "spread", "budget", ""], rows,
                 right=(2, 4))
    why = {}  # each explanation once
    for one in lines.BUDGETS:
        if is_missed(samples, one):
            why.setdefault(one.why or "It was kept in earlier runs, and is not explained.", []).append(one)
    if not why:
        return page + "\nNo budget is missed.\n"
    page += "\n### Why budgets are missed\n"
    for text, missed in why.items():
        names = "; ".join(f"{one.line}, {one.what.lstrip('… ')}" for one in missed)
        page += f"\n**{names}.** {text}\n"
    return page


def peer_cell(samples, cell, used):
    if not cell:
        return "–"
    name, _, notes = cell.partition(" ")
    used.update(notes)
    value = samples.value(name) if name != "–" else None
    mark = f"<sup>{','.join(notes)}</sup>" if notes else ""
    return (time(value) if value is not None else "–" if name == "–" else "?") + mark


def peers(samples):
    used = set()
    rows = [[line, what] + [peer_cell(samples, cells.get(column), used) for column in lines.COLUMNS]
            for line, what, cells in lines.PEERS]
    page = table(["", "what"] + lines.COLUMNS, rows, right=range(2, 2 + len(lines.COLUMNS)))
    notes = "; ".join(f"<sup>{mark}</sup> {text}" for mark, text in lines.NOTES.items()
                      if mark in used)
    return page + f"\n{notes}.\n"


def compared(samples, rows):
    made = []
    for what, ours, to, to_what in rows:
        found = samples.ratios(ours, to) if to else []
        made.append([what, amount(ours, samples.value(ours)),
                     f"{to_what}: {amount(to, samples.value(to))}" if to else "–",
                     f"{digits(statistics.median(found))} ×" if found else "–",
                     spread(found, digits) if found else "–"])
    return table(["", "ours", "measured against", "ratio", "spread"], made, right=(1, 3))


def costs(samples):
    page = ""
    for title, axis, unit, at, curves in lines.COSTS:
        rows = []
        for label, name in curves:
            values = [samples.value(f"{name}/{x}") for x in at]
            rows.append([label] + [time(value) if value is not None else "–" for value in values])
        page += f"\n{title}, {unit.replace('ns ', 'time for ') if ' ' in unit else 'time'}:\n\n"
        page += table([axis] + [f"{x:,}" for x in at], rows, right=range(1, 1 + len(at)))
    return page


def header(about):
    kind = ", a virtual machine" if about["is_virtual"] else ""
    versions = ", ".join(f"{name} {version or 'missing'}"
                         for name, version in about["versions"].items())
    page = f"""# What it costs

Written by `bench/run`, which measures ours and the peers' side by side; not by hand.

- {about['date']}: {about['processor']}, {about['processors']} processors{kind}; Linux \
{about['kernel']}; load by others when it began: {about['load']:.1f}.
- {versions}.
- {about['rounds']} round(s), in each of which every program ran once. A value is the median of the
  rounds, a ratio that of the rounds' own ratios, and the spread goes from the least to the
  greatest.
- Read the ratios: times are of this machine, and of what else it had to do. A latency is itself
  the median of hundreds, from the send to the catch clause, by one clock; a look at that clock is
  part of each sender's time.
- *Awake*: something of the lowest priority keeps the processors from sleeping, so that a wake-up
  costs what the kernel does. *Asleep*: the target's processor had nothing to do for 0.2 ms or more.
"""
    for name, why in about["failed"].items():
        page += f"- **{name} failed**: {' '.join(why.split())}\n"
    return page


def page(data):
    samples = Samples(data["samples"])
    work = [(what, ours, to, "without") for what, ours, to in lines.WORK]
    return f"""{header(data['about'])}
## Budgets

{budgets(samples)}
## Beside the peers

*floor* is the least that anything could take: a flag, a counter, a throw, two looks at the clock, a
vector behind a mutex, `std::thread`. *signal* is `pthread_kill` or `pthread_sigmask` alone,
*pthread* is `pthread_cancel` and what belongs to it.

{peers(samples)}
![Latencies](latency.svg)

## Whole programs

With safe points and nobody who interrupts, against the same without.

{compared(samples, work)}
## By number and depth

![Costs](cost.svg)
{costs(samples)}
## Without a budget

{compared(samples, lines.OTHERS)}"""


def draw_latencies(samples, pyplot, path):
    """Medians as bars, and lines to the 99th percentiles."""
    systems = [one for one in lines.COLUMNS if any(one in lines.PEERS[row][2] and
               samples.rounds(lines.PEERS[row][2][one].split()[0]) for _, row in lines.LATENCIES)]
    figure, axes = pyplot.subplots(figsize=(10, 5.5), layout="constrained")
    width = 0.85 / len(systems)
    for i, system in enumerate(systems):
        at, medians, tails = [], [], []
        for group, (_, row) in enumerate(lines.LATENCIES):
            name = lines.PEERS[row][2].get(system, "–").split()[0]
            median = samples.value(name)
            if median is None:
                continue
            tail = samples.value(f"{name}:p99")
            at.append(group + (i - len(systems) / 2 + 0.5) * width)
            medians.append(median / 1e3)
            tails.append(max(0, (tail or median) - median) / 1e3)
        axes.bar(at, medians, width, label=system, color=f"C{i}" if i < 10 else "black")
        axes.errorbar(at, medians, [[0] * len(tails), tails], fmt="none", ecolor="grey", lw=0.8)
    axes.set_yscale("log")
    axes.set_ylabel("µs from send to catch: median, line to the 99th percentile")
    axes.set_xticks(range(len(lines.LATENCIES)),
                    [label.replace(", ", ",\n") for label, _ in lines.LATENCIES])
    axes.legend(ncols=6, fontsize="small", loc="upper left", bbox_to_anchor=(0, 1.13))
    axes.grid(axis="y", alpha=0.3)
    save(figure, path)


def draw_costs(samples, pyplot, path):
    figure, panels = pyplot.subplots(1, len(lines.COSTS), figsize=(13, 4.2), layout="constrained")
    for axes, (title, axis, unit, at, curves) in zip(panels, lines.COSTS):
        for label, name in curves:
            points = [(x, samples.rounds(f"{name}/{x}")) for x in at]
            points = [(x, found) for x, found in points if found]
            if not points:
                continue
            middle = [statistics.median(found) for _, found in points]
            below = [value - min(found) for value, (_, found) in zip(middle, points)]
            above = [max(found) - value for value, (_, found) in zip(middle, points)]
            axes.errorbar([x for x, _ in points], middle, [below, above], label=label, marker="o",
                          ms=3.5, lw=1.2, elinewidth=0.7, capsize=2)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks(at, [f"{x:,}" for x in at])
        axes.minorticks_off()
        axes.set_title(title)
        axes.set_xlabel(axis)
        axes.set_ylabel(unit)
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small")
    save(figure, path)


def save(figure, path):
    figure.savefig(path, metadata={"Date": None})


def write(data, directory):
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "sigexc"
    matplotlib.rcParams["svg.fonttype"] = "none"
    from matplotlib import pyplot

    samples = Samples(data["samples"])
    (directory / "results.md").write_text(page(data))
    draw_latencies(samples, pyplot, directory / "latency.svg")
    draw_costs(samples, pyplot, directory / "cost.svg")


def show(data):
    samples = Samples(data["samples"])
    for name in sorted(data["samples"]):
        found = samples.rounds(name)
        print(f"{name:50} {amount(name, samples.value(name)):>12}   "
              f"{spread(found, lambda value: amount(name, value))}")


if __name__ == "__main__":
    write(json.loads(pathlib.Path(sys.argv[1]).read_text()),
          pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else pathlib.Path(__file__).parent)
