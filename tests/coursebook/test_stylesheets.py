"""Style sheets are joined without losing a rule that a page could use."""

import pytest

from coursebook.stylesheets import imported, sheet, without_unused


@pytest.mark.parametrize(
    ("css", "kept"),
    [
        (".used{top:0}.unused{top:1px}", ".used{top:0}"),
        ("p,.unused,h1 .used{top:0}", "p,h1 .used{top:0}"),
        ("#place .used>a::before{top:0}#nowhere{top:0}", "#place .used>a::before{top:0}"),
        (".used:not(.unused){top:0}", ".used:not(.unused){top:0}"),
        (":is(.unused,.used) b{top:0}", ":is(.unused,.used) b{top:0}"),
        ("[class*=unused]{top:0}", "[class*=unused]{top:0}"),
        (r".w-1\.5{top:0}.w-2\.5{top:0}", r".w-1\.5{top:0}"),
        (".bs-tooltip-auto{top:0}", ".bs-tooltip-auto{top:0}"),
        ("@media print{.unused{top:0}}", ""),
        ("@media (width<9px){.unused{top:0}.used{top:0}}", "@media (width<9px){.used{top:0}}"),
        ("@supports (a:b){@media print{.used{top:0}}}", "@supports (a:b){@media print{.used{top:0}}}"),
        ("@font-face{font-family:A}", "@font-face{font-family:A}"),
        ("@keyframes unused{to{top:0}}", "@keyframes unused{to{top:0}}"),
        ("/* a note *//*! a licence */.used{top:0}", "/*! a licence */.used{top:0}"),
        ('.used{content:"}.unused{"}', '.used{content:"}.unused{"}'),
    ],
)
def test_only_what_no_page_could_use_goes(css, kept):
    assert without_unused(css, {"used", "place", "w-1.5"}) == kept


def test_a_sheet_comes_with_what_it_imports_and_every_address_still_holds(tmp_path):
    (tmp_path / "styles").mkdir()
    data = '.b{background:url("data:image/png;base64,x")}'
    (tmp_path / "basic.css").write_text(f".a{{background:url(a.png)}}{data}")
    main = tmp_path / "styles" / "theme.css"
    main.write_text("@charset \"UTF-8\";@import '../basic.css';.c{background:url('../b.png#c')}")
    expected = f'.a{{background:url("a.png")}}{data}.c{{background:url("b.png#c")}}'
    assert sheet(main, tmp_path) == expected
    assert [path.resolve() for path in imported(main)] == [tmp_path / "basic.css"]
