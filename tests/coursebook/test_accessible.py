"""What the writers of some parts set wrongly is repaired."""

from coursebook.accessible import repair_roles


def test_roles_are_repaired_in_the_body_alone():
    context = {
        "body": '<div role="list" class="citation-list"><div role="doc-biblioentry"><p>',
        "title": "<th></th>",
    }
    repair_roles(None, "page", "page.html", context, None)
    assert context == {"body": '<div class="citation-list"><div><p>', "title": "<th></th>"}
    context = {"body": '<tr><th></th><th class="head"><p></p></th><th>q</th></tr>'}
    repair_roles(None, "page", "page.html", context, None)
    assert context["body"] == '<tr><td></td><td class="head"></td><th>q</th></tr>'
    empty = {}
    repair_roles(None, "search", "search.html", empty, None)
    assert empty == {}
