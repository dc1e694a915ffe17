import pytest

from coursebook import live


@pytest.fixture
def shown(monkeypatch):
    """What the notebook would show: every text displayed or updated, and None when it is cleared."""
    texts = []

    class Handle:
        def update(self, content):
            texts.append(content.data)

    def display(content, display_id):
        assert display_id is True
        texts.append(content.data)
        return Handle()

    monkeypatch.setattr(live, "display", display)
    monkeypatch.setattr(live, "clear_output", lambda: texts.append(None))
    monkeypatch.setattr(live.Progress, "_SECONDS_BETWEEN_UPDATES", 0)
    return texts


def test_progress_counts_stages_and_leaves_nothing_behind(shown):
    with live.progress("Training", stages=2) as bar:
        bar("baseline", 10, 10)
        bar("dropout", 5, 10)
        assert bar.fraction == 0.75
    assert "Training: starting (0%)" in shown[0]
    assert "dropout (75%" in shown[-2]
    assert 'value="0.750"' in shown[-2]
    assert "s left" in shown[-2]
    assert shown[-1] is None


def test_it_clears_after_a_failure_too(shown):
    with pytest.raises(RuntimeError), live.progress("Training", stages=1):
        raise RuntimeError
    assert shown[-1] is None


def test_stages_that_recur_are_told_apart(shown):
    with live.progress("Training", stages=4) as bar:
        for name in ("small", "large"):
            step = bar.within(name)
            step("baseline", 1, 1)
            step("dropout", 1, 1)
        assert bar.fraction == 1
    assert "large, dropout" in shown[-2]


def test_a_stage_too_many_does_not_pass_one_hundred_per_cent(shown):
    with live.progress("Training", stages=1) as bar:
        bar("a", 1, 1)
        bar("b", 1, 1)
        assert bar.fraction == 1


def test_labels_are_escaped(shown):
    with live.progress("<b>", stages=1):
        pass
    assert "<b>" not in shown[0].replace("<progress", "")
