"""Every section measures what it says; a quick run shows that all of them work."""

import math

import averages
import books
import ensembles
import imports
import layers
import pytest
import replicas
import steps
import torch
from record import GROWTH, MEASURES, Machine, Record, placeholder
from timing import Bench
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from dropoutlab import Dropout

QUICK = Bench(quick=True)


def measured(section):
    record = Record()
    section.measure(QUICK, record)
    return record


def test_layers_report_the_slower_rate():
    record = measured(layers)
    rates = {name: record.measured[f"dropout_forward_speedup_{name}"] for name in ("p50", "p30")}
    worst = min(rates, key=rates.get)
    detail = record.detail["dropout_forward_speedup_vs_nn"]
    assert record.measured["dropout_forward_speedup_vs_nn"] == rates[worst] == detail["peer"] / detail["ours"]
    assert detail["what"] == MEASURES["dropout_forward_speedup_vs_nn"].what
    assert detail["ours"] == record.detail[f"dropout_forward_speedup_{worst}"]["ours"]
    back = record.detail["dropout_backward_vs_nn"]
    assert record.measured["dropout_backward_vs_nn"] == back["ours"] / back["peer"]


@pytest.mark.parametrize(
    ("ours", "peer", "expected"),
    [
        ([4.0, 4.0, 4.0], [1.0, 4.0, 16.0], 20.0),  # even at a size that was measured
        ([2.0, 2.0, 2.0], [1.0, 4.0, 16.0], math.sqrt(10 * 20)),  # half way between the logarithms
        ([1.0, 1.0, 1.0], [2.0, 2.0, 2.0], 10),
        ([2.0, 2.0, 2.0], [1.0, 1.0, 1.0], 40),
    ],
    ids=["on a size", "between", "always faster", "never faster"],
)
def test_where_two_curves_meet(ours, peer, expected):
    assert layers.break_even([10, 20, 40], ours, peer) == pytest.approx(expected)


def test_the_three_networks_differ_in_their_dropout_only():
    nets = steps.networks((5, 4, 4, 3))
    kinds = {name: [type(layer) for layer in net] for name, net in nets.items()}
    assert kinds["none"] == [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear]
    assert kinds["ours"] == [nn.Linear, nn.ReLU, Dropout] * 2 + [nn.Linear]
    assert kinds["peer"] == [nn.Linear, nn.ReLU, nn.Dropout] * 2 + [nn.Linear]
    for net in (nets["ours"], nets["peer"]):
        for ours, plain in zip(net.parameters(), nets["none"].parameters(), strict=True):
            assert torch.equal(ours, plain)
    assert {parameter.dtype for net in nets.values() for parameter in net.parameters()} == {torch.float32}


def test_operations_are_counted_as_pytorch_counts_them():
    widths, batch = (7, 5, 6, 3), 11
    step = steps.training_step(steps.networks(widths)["ours"], widths, batch)
    with FlopCounterMode(display=False) as counter:
        step()
    assert steps.step_flops(widths, batch) == counter.get_total_flops()
    assert sum(2 * m * n * k for m, n, k in steps.products(widths, batch)) == counter.get_total_flops()


def test_a_step_trains():
    net = steps.networks((7, 5, 6, 3))["none"]
    before = [parameter.clone() for parameter in net.parameters()]
    steps.training_step(net, (7, 5, 6, 3), 11)()
    assert not any(torch.equal(old, new) for old, new in zip(before, net.parameters(), strict=True))


def test_products_have_their_sizes():
    assert steps.product(2, 3, 4)().shape == (2, 3)
    assert steps.product(2, 3, 4, together=5)().shape == (5, 2, 3)


def test_steps_are_compared_with_the_step_without_dropout():
    record = measured(steps)
    for key, part in (("dropout_step_overhead", "ours"), ("nn_dropout_step_overhead", "peer")):
        detail = record.detail[key]
        assert record.measured[key] == detail[part] / detail["limit"] - 1
    assert "ours" not in record.detail["nn_dropout_step_overhead"]
    detail = record.detail["train_fraction_of_gemm_peak"]
    assert record.measured["train_fraction_of_gemm_peak"] == detail["limit"] / detail["ours"]
    flops = steps.step_flops(steps.QUICK_WIDTHS, 32)
    assert detail["limit"] == pytest.approx(flops / detail["peak_gflops"] / 1e9)


def test_both_ways_of_training_replicas_take_the_same_steps(monkeypatch):
    case = replicas.Case(3, (4, 6, 3), batch=5, examples=12)
    trained = {}
    prepared = replicas._prepared

    def kept(name):
        def prepare(case):
            found = prepared(case)
            trained[name] = found[0]
            return found

        return prepare

    for name, way in (("many", replicas.many), ("loop", replicas.loop)):
        monkeypatch.setattr(replicas, "_prepared", kept(name))
        way(case)()
    for one, other in zip(trained["many"], trained["loop"], strict=True):
        torch.testing.assert_close(one.state_dict(), other.state_dict())
    assert replicas.steps_of(case) == 3


def test_replicas_report_the_worst_of_the_awkward_sizes():
    record = measured(replicas)
    detail = record.detail["fit_many_worst_ratio"]
    assert record.measured["fit_many_worst_ratio"] == min(detail["ratios"].values())
    assert detail["ratios"][detail["ours_is"]] == detail["peer"] / detail["ours"]
    curve = record.growth["fit_many_replicas"]
    assert len(curve["sizes"]) == len(curve["seconds"]) == 3


def test_averages_store_what_was_found(monkeypatch):
    sizes = ensembles.QUICK
    units = sorted({*sizes.growing, *sizes.large})
    found = {
        "exact_average_speedup_vs_naive": 100.0,
        "exact_average_vs_softmax": 0.5,
        "exact_average_fraction_of_gemm_peak": 0.25,
        "exact_average_peak_mb": 3.0,
        "exact_average_growth_per_unit": 0.5,
        "exact_average_growth_per_unit_large": 1.0,
        "naive_ns_per_network": 1e9 * 2.0 / 2**sizes.units,
        f"arithmetic_{sizes.units}_units_s": 0.02,
        **{f"exact_average_{n}_units_s": n / 1000 for n in units},
    }
    monkeypatch.setattr(ensembles, "measure", lambda **_: found)
    record = measured(averages)
    detail = record.detail["exact_average_speedup_vs_naive"]
    assert (detail["ours"], detail["peer"], detail["limit"]) == pytest.approx((0.02, 2.0, 0.005))
    assert record.detail["exact_average_vs_softmax"]["peer"] == pytest.approx(0.04)
    assert record.measured["exact_average_peak_mb"] == 3.0
    curve = record.growth["exact_average_units"]
    assert (curve["factor"], curve["factor_of_large"]) == pytest.approx((2**0.5, 2.0))
    assert (curve["sizes"], curve["seconds"]) == (units, [n / 1000 for n in units])


def test_averages_are_really_measured():
    assert {key for key in MEASURES if key.startswith("exact_average")} == set(measured(averages).measured)


def test_imports_say_who_brings_numpy_along(monkeypatch):
    monkeypatch.setattr(imports, "imports_numpy", lambda line: line == "import torch")
    record = measured(imports)
    detail = record.detail["import_ratio_vs_torch"]
    assert record.measured["import_ratio_vs_torch"] == detail["ours"] / detail["peer"]
    assert (detail["ours_imports_numpy"], detail["peer_imports_numpy"]) == (False, True)


def test_whether_numpy_comes_along_is_seen():
    assert imports.imports_numpy("import numpy.linalg")
    assert not imports.imports_numpy("import json")


def test_a_copy_of_the_book_has_placeholders_and_no_tests(tmp_path):
    copy = books.copy_book(tmp_path / "copy")
    assert (copy / "_config.yml").is_file()
    assert not [path.name for path in copy.iterdir() if path.name in (".venv", ".git", "tests", "_build")]
    text = (copy / "benchmarks" / "latest.json").read_text(encoding="utf-8")
    assert '"dropout_step_overhead": 1.0' in text
    chapters = len(list((copy / "chapters").glob("*.md")))
    toc = (copy / "_toc.yml").read_text(encoding="utf-8")
    pages = 1 + toc.count("- file:")
    listed = toc.count("- file: chapters/")
    assert books.multiply_chapters(copy, 3) == pages + 2 * listed
    assert len(list((copy / "chapters").glob("*.md"))) == chapters  # copies have no source to be paired with


def test_an_edit_that_does_not_arrive_is_an_error(tmp_path):
    chapter = tmp_path / "chapters" / "01-a.md"
    page = tmp_path / "_build" / "html" / "chapters" / "01-a.html"
    for path in (chapter, page):
        path.parent.mkdir(parents=True)
        path.write_text("old", encoding="utf-8")
    books.add_sentence(tmp_path)()
    assert chapter.read_text(encoding="utf-8") == f"old\n{books.SENTENCE}\n"
    with pytest.raises(RuntimeError, match=r"01-a\.html was not built again"):
        books.check_edit(tmp_path)
    page.write_text(books.SENTENCE, encoding="utf-8")
    books.check_edit(tmp_path)
    books.forget(tmp_path)()
    assert not page.exists()
    books.forget(tmp_path)()  # nothing to forget is no error


def test_a_build_that_fails_stops_the_run(tmp_path):
    with pytest.raises(RuntimeError, match="failed"):
        books.build(tmp_path)()


@pytest.mark.book
def test_books_are_built_and_grow(monkeypatch):
    built = []

    def pretended(way):
        """A builder that notes what it builds, and shows each source instead of a page."""

        def make(root):
            def build():
                built.append((root.name, way, (root / "_build").exists()))
                for source in (root / "chapters").glob("*.md"):
                    page = root / "_build" / "html" / "chapters" / f"{source.stem}.html"
                    page.parent.mkdir(parents=True, exist_ok=True)
                    page.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")

            return build

        return make

    monkeypatch.setattr(books, "build", pretended("ours"))
    monkeypatch.setattr(books, "jupyter_book", pretended("peer"))
    record = measured(books)
    assert built[0] == ("edited", "ours", False)  # an edit is one of a book that was built before
    assert sorted(built[1:4]) == [
        ("clean", "ours", False),
        ("edited", "ours", True),
        ("plain", "peer", False),
    ]
    assert sorted(built[4:]) == [("times-1", "peer", False), ("times-2", "peer", False)]
    assert record.measured["book_build_s"] > 0
    assert record.measured["prose_edit_rebuild_s"] > 0
    assert record.growth["book_pages"]["sizes"] == [2, 3]


def test_an_edit_that_a_build_overlooks_is_an_error(tmp_path):
    root = books.small_book(tmp_path / "book")
    page = root / "_build" / "html" / "chapters" / "01-a.html"
    page.parent.mkdir(parents=True)
    page.write_text("<h1>A chapter</h1>")
    with pytest.raises(RuntimeError, match=r"01-a\.html was not built again"):
        books.check_edit(root)


@pytest.mark.parametrize("builder", [books.build, books.jupyter_book], ids=["ours", "peer"])
def test_a_builder_builds_and_says_when_it_cannot(builder, tmp_path):
    root = books.small_book(tmp_path / "book")
    builder(root)()
    assert "A chapter" in (root / "_build" / "html" / "chapters" / "01-a.html").read_text()
    (root / "_toc.yml").unlink()
    books.forget(root)()
    with pytest.raises(RuntimeError, match=r"failed:\n"):
        builder(root)()


def test_a_record_keeps_the_order_of_the_table_and_four_digits():
    record = Record()
    assert record.missing == [*MEASURES, *GROWTH]
    record.add("exact_average_growth_per_unit", 1.23456, ours=1.23456)
    record.add("dropout_step_overhead", 0.1)
    record.grow("book_pages", [7, 9], [1.23456, 2.0], exponent=0.333333)
    stored = record.as_json()
    assert list(stored["measured"].items()) == [
        ("dropout_step_overhead", 0.1),
        ("exact_average_growth_per_unit", 1.235),
    ]
    assert stored["targets"] == {"dropout_step_overhead": ["<=", 0.15]}
    assert stored["growth"]["book_pages"] == {
        "what": GROWTH["book_pages"],
        "sizes": [7, 9],
        "seconds": [1.235, 2.0],
        "exponent": 0.3333,
    }
    detail = stored["detail"]["exact_average_growth_per_unit"]
    assert (detail["unit"], detail["ours"]) == ("ratio", 1.235)
    with pytest.raises(KeyError):
        record.add("never_heard_of", 1.0)


def test_a_placeholder_has_everything():
    assert placeholder().missing == []


def test_the_machine_is_described_without_its_name():
    facts = Machine()
    assert facts.cores >= 1
    assert facts.processor
    assert facts.torch == torch.__version__.partition("+")[0]
    assert set(vars(facts)) == {"processor", "cores", "threads", "system", "python", "torch", "numpy"}
