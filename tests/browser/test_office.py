"""Administrators in the back office: what a number means on a date, its change by date, flows, prompts, people."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.chrome import WAIT_MS, Person
from tests.house import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

ROOMS = {
    "prompts": "您好", "calendar": "工作日", "agents": "李娟",
    "skills": "住房公积金", "roster": "周文", "people": "supervisor",
}  # fmt: skip
Enter = Callable[[str], Person]


def test_a_number_changes_on_a_day_and_not_before(hotline: Server, enter: Enter) -> None:
    administrator = enter("administrator")
    page = administrator.page
    page.goto(administrator.url("/office/numbers/12333"))
    expect(page.get_by_test_id("outcome")).to_contain_text("转入人工", timeout=WAIT_MS)
    assert administrator.barriers() == []
    page.get_by_test_id("change").click()
    page.get_by_label("生效日期").fill("2027-07-01")
    page.keyboard.press("Enter")
    expect(page.get_by_text("现行条目将于 2027-06-30 终止")).to_be_visible(timeout=WAIT_MS)
    assert administrator.barriers() == []
    page.get_by_test_id("mode").click()
    page.get_by_role("option", name="整体并入").click()
    page.get_by_test_id("save-change").click()
    expect(page.get_by_test_id("entries").locator("li")).to_have_count(2, timeout=WAIT_MS)
    for day, mode in (("2027-06-30", "dual"), ("2027-07-01", "whole")):
        assert hotline.get(f"/api/v1/numbers/12333?at={day}")["entry"]["mode"] == mode
    page.get_by_label("查询日期").fill("2027-07-01")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("number")).to_contain_text("整体并入", timeout=WAIT_MS)
    expect(page.get_by_test_id("moments")).to_contain_text("转人工")


def test_every_room_of_the_back_office_can_be_read_by_everybody(enter: Enter) -> None:
    administrator = enter("administrator")
    page = administrator.page
    page.goto(administrator.url("/office/flows/menu_12329"))
    expect(page.get_by_test_id("graph").locator("[data-node=menu]")).to_be_visible(timeout=WAIT_MS)
    page.fill("input[name=keys]", "2")
    page.get_by_label("来电时间").fill("2026-11-23 10:00")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("graph").locator("[data-node=withdrawal].walked")).to_be_visible(timeout=WAIT_MS)
    found = administrator.barriers()
    for path, shown in ROOMS.items():
        page.goto(administrator.url(f"/office/{path}"))
        expect(page.get_by_role("main")).to_contain_text(shown, timeout=WAIT_MS)
        found += administrator.barriers()
    page.get_by_test_id("add-person").click()
    expect(page.locator("input[name=new-login]")).to_be_visible(timeout=WAIT_MS)
    found += administrator.barriers()
    assert found == []


def test_skills_are_given_in_the_page(hotline: Server, enter: Enter) -> None:
    administrator = enter("administrator")
    page = administrator.page
    page.goto(administrator.url("/office/agents"))
    page.get_by_role("button", name="编辑 8004").click()
    page.get_by_role("button", name="移除技能 心理援助").click()
    page.get_by_test_id("save-agent").click()
    expect(page.get_by_test_id("agents")).not_to_contain_text("心理援助 3", timeout=WAIT_MS)
    agents = hotline.get("/api/v1/agents")["items"]
    assert next(one["skills"] for one in agents if one["agent"] == "8004") == {"general": 4, "mandarin": 8}


def test_a_new_number_is_declared_by_form_and_mistakes_stand_at_their_fields(hotline: Server, enter: Enter) -> None:
    administrator = enter("administrator")
    page = administrator.page
    page.goto(administrator.url("/office/numbers"))
    page.get_by_test_id("add-number").click()
    page.fill("input[name=new-number]", "call me")
    page.fill("input[name=new-widen_after_s]", "0")
    page.get_by_test_id("save-number").click()
    form = page.get_by_test_id("new-number")
    for field in ("number", "name", "widen_after_s"):
        expect(form.locator(f"[data-field={field}] .mistake")).to_be_visible(timeout=WAIT_MS)
    assert administrator.barriers() == []
    administrator.complaints.clear()  # the browser tells of every 400, which is what was wanted here
    page.fill("input[name=new-number]", "12399")
    page.fill("input[name=new-name]", "新设热线")
    page.fill("input[name=new-owner_unit]", "数据局")
    page.fill("input[name=new-widen_after_s]", "25")
    page.get_by_test_id("save-number").click()
    expect(page.get_by_test_id("number")).to_contain_text("新设热线", timeout=WAIT_MS)
    entry = hotline.get("/api/v1/numbers/12399")["entry"]
    assert (entry["owner_unit"], entry["widen_after_s"], entry["status"]) == ("数据局", 25, "planned")


def test_an_own_date_says_what_it_leads_to_before_it_is_saved(hotline: Server, enter: Enter) -> None:
    administrator = enter("administrator")
    page = administrator.page
    page.goto(administrator.url("/office/calendar"))
    days = page.get_by_test_id("days")
    day = days.locator("td.rest:not(.other) button[data-day]").first
    expect(day).to_be_visible(timeout=WAIT_MS)
    date = day.get_attribute("data-day")
    day.click()
    administrator.sees("day", kind="rest")
    expect(page.get_by_test_id("open")).not_to_contain_text("08:30-12:00")
    page.get_by_test_id("day").locator("[data-kind=work]").click()
    administrator.sees("day", kind="make_up")
    expect(page.get_by_test_id("open")).to_contain_text("08:30-12:00")
    assert hotline.get(f"/api/v1/calendar/{date}")["own"] is None
    page.fill("input[name=day-times]", "9-5")
    expect(page.get_by_test_id("day").locator(".mistake")).to_be_visible(timeout=WAIT_MS)
    assert administrator.barriers() == []
    page.fill("input[name=day-times]", "09:00-11:30")
    page.get_by_test_id("save-day").click()
    expect(page.get_by_test_id("forget-day")).to_be_visible(timeout=WAIT_MS)
    assert hotline.get(f"/api/v1/calendar/{date}")["own"]["times"] == ["09:00-11:30"]
    expect(days.locator(f"[data-day='{date}']")).to_contain_text("自定", timeout=WAIT_MS)
    page.get_by_test_id("forget-day").click()
    administrator.sees("day", kind="rest")
    assert hotline.get(f"/api/v1/calendar/{date}")["own"] is None
    administrator.complaints.clear()  # the browser tells of the 400 of what cannot be read
