"""Tests of the page in a browser: Chromium without a window, where it and selenium are there."""

import json
import shutil
import time
from functools import partial

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from sklearn_gcncluster import ClusterReport, GCNClustering, IncrementalGCNClustering, load_decisions

webdriver = pytest.importorskip("selenium.webdriver")
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.wait import WebDriverWait  # noqa: E402

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no chromium and chromedriver")

SETTINGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--window-size=1200,900",
]
MALICE = [
    "<script>window.hacked = 1</script>",
    '"><img src=x onerror="window.hacked = 1">',
    "</script><script>window.hacked = 1</script>",
    "</noscript></title></style><b id=injected>",
    "<!-- <script>",
    "' onmouseover='window.hacked = 1",
    "javascript:window.hacked=1",
    "__proto__",
]


@pytest.fixture(scope="module")
def start_browser(tmp_path_factory):
    """A function that starts a browser; all are closed in the end. Downloads go to its ``downloads``."""
    browsers = []

    def start(**preferences):
        folder = tmp_path_factory.mktemp("browser")
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for setting in [*SETTINGS, f"--user-data-dir={folder / 'profile'}"]:
            options.add_argument(setting)
        downloads = folder / "downloads"
        downloads.mkdir()
        preferences |= {"download.default_directory": str(downloads)}
        options.add_experimental_option("prefs", preferences)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
        browser.downloads = downloads
        browsers.append(browser)
        return browser

    yield start
    for browser in browsers:
        browser.quit()


@pytest.fixture(scope="module")
def shared_browser(start_browser):
    """One for all tests, since it takes a while to start."""
    return start_browser()


@pytest.fixture
def browser(shared_browser):
    """The shared one, at its usual size, with nothing downloaded or kept."""
    shared_browser.get("about:blank")
    shared_browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    shared_browser.execute_cdp_cmd(
        "Storage.clearDataForOrigin", {"origin": "file://", "storageTypes": "local_storage"}
    )
    shared_browser.get_log("browser")
    for file in shared_browser.downloads.iterdir():
        file.unlink()
    return shared_browser


@pytest.fixture
def show(browser, tmp_path):
    """A function that opens a report as a file and returns a function that finds an element by its id."""

    def show_report(report):
        report.write_html(tmp_path / "report.html")
        browser.get((tmp_path / "report.html").as_uri())
        return partial(browser.find_element, By.ID)

    return show_report


def a_report(**inputs):
    """Forty samples in four clusters and five outliers, with four questions."""
    labels = np.repeat([0, 1, 2, 3, -1], [16, 10, 6, 3, 5])
    questions = [
        {"kind": "merge", "first": 0, "second": 17, "gain": 0.02, "clusters": [0, 1]},
        {"kind": "split", "first": 1, "second": 2, "gain": 0.01, "clusters": [0]},
        {"kind": "outlier", "first": 39, "second": 27, "gain": 0.005, "clusters": [2]},
        {"kind": "merge", "first": 30, "second": 33},
    ]
    return ClusterReport(labels, **{"questions": questions} | inputs)


def downloaded(browser):
    """The file that the browser downloads, when it is there."""

    def complete(_):
        files = [file for file in browser.downloads.iterdir() if file.suffix == ".json"]
        return files[0] if files else None

    return WebDriverWait(browser, 20).until(complete)


def shown(browser, selector):
    """Texts of the elements that a selector finds."""
    return [element.text for element in browser.find_elements(By.CSS_SELECTOR, selector)]


def press(browser, keys):
    """Press keys one after the other, wherever the focus is."""
    browser.switch_to.active_element.send_keys(keys)


def test_decisions_by_click_and_by_key(browser, show):
    """They come out as constraints; skipped ones do not."""
    find = show(a_report())
    find("show-review").click()
    find("same").click()
    press(browser, "d")
    press(browser, "K")
    find("download").click()
    must_link, cannot_link = load_decisions(downloaded(browser), n_samples=40)
    np.testing.assert_array_equal(must_link, [[0, 17]])
    np.testing.assert_array_equal(cannot_link, [[1, 2]])
    assert json.loads(downloaded(browser).read_text())["skipped"] == [[39, 27]]
    assert find("tally").text == "1 same, 1 different, 1 skipped"
    assert browser.get_log("browser") == []


def test_clustering_obeys_decisions(browser, show):
    """What is clicked and pressed on the page holds in the next clustering, as the page then shows."""
    X, _ = make_blobs(120, n_features=32, centers=6, random_state=0)
    clusterer = GCNClustering(random_state=0).fit(X)
    assert clusterer.n_clusters_ == 6
    members = [np.flatnonzero(clusterer.labels_ == number) for number in range(4)]
    apart, together = [members[0][0], members[0][1]], [members[1][0], members[2][0]]
    skipped = [members[3][0], members[3][1]]
    questions = [
        {"kind": kind, "first": int(first), "second": int(second)}
        for kind, (first, second) in (("split", apart), ("merge", together), ("split", skipped))
    ]
    find = show(ClusterReport(clusterer.labels_, questions=questions))
    find("show-review").click()
    find("different").click()
    press(browser, "sk")
    find("download").click()
    decisions = load_decisions(downloaded(browser), n_samples=len(X))
    labels = clusterer.fit_predict(X, **decisions._asdict())
    assert labels[apart[0]] != labels[apart[1]]
    assert labels[together[0]] == labels[together[1]] >= 0
    assert labels[skipped[0]] == labels[skipped[1]]  # nothing was said of it
    find = show(ClusterReport(labels, title="again"))
    find("search").send_keys(str(together[0]))
    time.sleep(0.4)
    assert f"Cluster {labels[together[0]]}" in shown(browser, ".card h2")
    album = IncrementalGCNClustering(clusterer).fit(X)
    album.partial_fit(X[:0], **decisions._asdict())
    assert album.labels_[apart[0]] != album.labels_[apart[1]]
    assert album.labels_[together[0]] == album.labels_[together[1]] >= 0


def test_undo(browser, show):
    """By key and by click, back to the first question, and in the text of the decisions too."""
    find = show(a_report())
    find("show-review").click()
    browser.find_element(By.CSS_SELECTOR, "#as-text summary").click()
    press(browser, "sssd")
    assert find("finished").is_displayed()
    assert not find("same").is_enabled()
    press(browser, "s")  # there is nothing to answer any more
    press(browser, "u")
    find("undo").click()
    assert load_decisions(find("decisions").get_attribute("value")).must_link.tolist() == [[0, 17], [1, 2]]
    press(browser, "uu")
    assert not find("undo").is_enabled()
    assert find("progress-text").text == "Question 1 of 4"


def test_questions(browser, show):
    """They say what they are about and why, and show the clusters of both samples."""
    find = show(a_report(ids=[f"name {row}" for row in range(40)]))
    find("show-review").click()
    assert find("why").text == "Clusters 0 and 1 may be one. An answer is worth 0.020."
    assert [text.split("\n")[0] for text in shown(browser, ".side")] == ["name 0", "name 17"]
    assert "Cluster 1: 10 samples, such as" in shown(browser, ".side")[1]
    press(browser, "kk")
    assert find("why").text == "One of the two may be an outlier of Cluster 2. An answer is worth 0.0050."
    assert "in no cluster" in shown(browser, ".side")[0]


def test_keys_elsewhere(browser, show):
    """Letters in the search field, with Ctrl, or while clusters are shown, are no answers."""
    find = show(a_report())
    find("search").send_keys("skd")
    press(browser, Keys.TAB + "s")
    find("show-review").click()
    press(browser, Keys.CONTROL + "d")
    assert find("progress-text").text == "Question 1 of 4"


def test_answers_are_kept(browser, show):
    """A page that is closed by mistake goes on where it was; other questions start anew."""
    report = a_report(title="kept")
    find = show(report)
    find("show-review").click()
    press(browser, "sd")
    find = show(report)
    assert find("n-open").text == "2"
    find = show(a_report(title="kept", ids=range(1, 41)))
    assert find("n-open").text == "4"


def test_clusters(browser, show):
    """By size, by predicted IoU or by number; outliers last."""
    find = show(a_report(cluster_scores=[[0.5, 0.9], [0.9, 0.9], [0.2, 0.8], [0.7, 0.7]]))
    assert shown(browser, ".card h2") == ["Cluster 0", "Cluster 1", "Cluster 2", "Cluster 3", "Outliers"]
    assert shown(browser, ".score")[0] == "IoU 0.50 · IoP 0.90"
    find("order").send_keys("lowest")
    assert shown(browser, ".card h2") == ["Cluster 2", "Cluster 0", "Cluster 3", "Cluster 1", "Outliers"]
    assert len(shown(show(a_report())("order"), "option")) == 2


def test_members(browser, show):
    """All of a large cluster, page by page, exemplar first; the keyboard is enough."""
    show(ClusterReport(np.repeat([0, 1], [300, 3]), exemplars=[7, 300]))
    button, *others = browser.find_elements(By.CSS_SELECTOR, ".card > button")
    assert not others  # the small one is complete
    button.send_keys(Keys.ENTER)
    assert shown(browser, "#members h2") == ["Cluster 0: 300 samples"]
    rows = shown(browser, "#members .sample")
    assert rows[:3] == ["7", "0", "1"]
    for _ in range(2):
        browser.find_element(By.CSS_SELECTOR, "#member-pages button:last-child").click()
        rows += shown(browser, "#members .sample")
    assert sorted(map(int, rows)) == list(range(300))
    assert shown(browser, "#member-pages span") == ["Page 3 of 3"]
    press(browser, Keys.ESCAPE)
    assert not browser.find_element(By.ID, "members").is_displayed()


def test_search(browser, show):
    """By name, by text and by number of the cluster; hits come first."""
    texts = [f"text number {row}" for row in range(40)]
    texts[20] = "Größe <b>"
    find = show(a_report(texts=texts, ids=[f"n{row}" for row in range(40)]))

    def search(query):
        find("search").clear()
        find("search").send_keys(query)
        time.sleep(0.4)  # the page waits a little for the next letter
        return shown(browser, ".card h2")

    assert search("größe <B>") == ["Cluster 1"]
    assert "Größe <b>" in shown(browser, ".card .sample.hit")[0]
    assert "Größe <b>" in shown(browser, ".card .sample")[0]
    assert search("n39") == ["Outliers"]
    assert search("cluster 3") == ["Cluster 3"]
    assert search("nothing like it") == []
    assert find("found").text == "Nothing found."
    assert search(Keys.SPACE) == ["Cluster 0", "Cluster 1", "Cluster 2", "Cluster 3", "Outliers"]


def test_search_by_row(browser, show):
    """Samples without a name are found by their row, and clusters by their number, exactly."""
    find = show(a_report())
    find("search").send_keys("3")
    time.sleep(0.4)
    assert shown(browser, ".card h2") == ["Cluster 0", "Cluster 3"]
    assert shown(browser, ".hit") == ["3"]


def test_many_clusters(browser, show):
    """A few at a time."""
    find = show(ClusterReport(np.arange(100)))
    assert len(shown(browser, ".card")) == 24
    assert find("card-pages").text.split("\n") == ["Previous", "Page 1 of 5", "Next"]
    browser.find_element(By.CSS_SELECTOR, "#card-pages button:last-child").send_keys(Keys.ENTER)
    press(browser, Keys.ENTER)  # the focus stays on "Next"
    assert shown(browser, ".card h2")[0] == "Cluster 48"
    assert find("found").text == "100 clusters"


def test_pictures(browser, show):
    """They are there, and loaded when they come into sight only."""
    pictures = np.random.default_rng(0).integers(0, 256, (2000, 20, 20), dtype=np.uint8)
    show(ClusterReport(np.repeat(np.arange(100), 20), pictures=pictures))
    images = browser.find_elements(By.CSS_SELECTOR, ".card img")
    assert len(images) == 24 * 6
    WebDriverWait(browser, 10).until(lambda _: images[0].get_property("naturalWidth") == 20)
    assert {image.get_attribute("loading") for image in images} == {"lazy"}


@pytest.mark.parametrize("with_pictures", [False, True])
def test_malice(browser, show, with_pictures):
    """Names, texts, kinds of questions and the title do no harm anywhere on the page."""
    labels = np.repeat([0, 1], len(MALICE))
    questions = [{"kind": name, "first": row, "second": row + 1} for row, name in enumerate(MALICE)]
    for title in MALICE:
        report = ClusterReport(
            labels,
            ids=MALICE * 2,
            texts=MALICE * 2,
            pictures=(lambda row: np.eye(8)) if with_pictures else None,
            questions=questions,
            title=title,
        )
        find = show(report)
        assert browser.title == title
        assert shown(browser, "h1") == [title]
    find("search").send_keys("<script>")
    time.sleep(0.4)
    assert len(shown(browser, ".hit")) > 0
    browser.find_element(By.CSS_SELECTOR, ".card > button").click()
    assert set(shown(browser, "#members .sample p")) == set(MALICE)
    find("close").click()
    find("show-review").click()
    for name in MALICE:
        assert find("why").text == name
        press(browser, "s")
    assert browser.execute_script("return window.hacked") is None
    assert browser.find_elements(By.ID, "injected") == []
    assert len(browser.find_elements(By.TAG_NAME, "script")) == 2
    assert {image.get_attribute("src")[:15] for image in browser.find_elements(By.TAG_NAME, "img")} <= {
        "data:image/png;"
    }
    assert browser.get_log("browser") == []


def test_policy(browser, show):
    """Even if a script came into the page, it would not run."""
    show(a_report())
    browser.execute_script(
        "const code = document.createElement('img'); code.setAttribute('onerror', 'window.hacked = 1');"
        "code.src = 'data:,'; document.body.append(code)"
    )
    time.sleep(0.3)
    assert browser.execute_script("return window.hacked") is None
    assert "Content Security Policy" in browser.get_log("browser")[0]["message"]


def test_nothing_is_asked_for(browser, show):
    """No request leaves the page."""
    show(a_report(pictures=lambda row: np.eye(70)))
    names = "performance.getEntriesByType('resource').map((entry) => entry.name)"
    assert all(name.startswith("data:") for name in browser.execute_script(f"return {names}"))


def test_notebook(browser, tmp_path):
    """In its frame the page works as well, and knows nothing of the page around."""
    (tmp_path / "notebook.html").write_text(f"<body>{a_report()._repr_html_()}</body>", "utf-8")
    browser.get((tmp_path / "notebook.html").as_uri())
    browser.switch_to.frame(0)
    find = partial(browser.find_element, By.ID)
    find("show-review").click()
    find("different").click()
    press(browser, "s")
    find("download").click()
    must_link, cannot_link = load_decisions(downloaded(browser))
    assert (must_link.tolist(), cannot_link.tolist()) == ([[1, 2]], [[0, 17]])
    assert browser.execute_script("try { return parent.document.title } catch { return null }") is None


@pytest.mark.parametrize("view", ["show-clusters", "show-review"])
@pytest.mark.parametrize("inputs", [{}, {"texts": ["word" * 50] * 40}, {"ids": ["name" * 50] * 40}])
def test_telephone(browser, show, view, inputs):
    """Nothing is wider than the screen, and what can be touched is large enough for a finger."""
    size = {"width": 360, "height": 640, "deviceScaleFactor": 2, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    find = show(a_report(**inputs))
    find(view).click()
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 360
    for button in browser.find_elements(By.TAG_NAME, "button"):
        if button.is_displayed():
            assert button.size["height"] >= 40
    find("show-review").click()
    box = find("same").rect
    assert box["y"] + box["height"] <= browser.execute_script("return scrollY + innerHeight")


def test_labels_for_all(browser, show):
    """Whatever can be used has a name for those who do not see it."""
    find = show(a_report(pictures=lambda row: np.eye(8)))
    find("show-review").click()
    for element in browser.find_elements(By.CSS_SELECTOR, "button, input, select, textarea, img, progress"):
        name = element.accessible_name if element.is_displayed() else "hidden"
        assert name, element.get_attribute("outerHTML")


def test_without_scripts(start_browser, tmp_path):
    """Tables of clusters and questions, with exemplars as pictures, and nothing that needs a script."""
    browser = start_browser(**{"profile.managed_default_content_settings.javascript": 2})
    report = a_report(ids=MALICE * 5, texts=MALICE * 5, pictures=lambda row: np.eye(8))
    report.write_html(tmp_path / "report.html")
    browser.get((tmp_path / "report.html").as_uri())
    clusters, questions = browser.find_elements(By.TAG_NAME, "table")
    assert len(clusters.find_elements(By.CSS_SELECTOR, "tbody tr")) == 4
    assert len(clusters.find_elements(By.TAG_NAME, "img")) == 4
    assert len(questions.find_elements(By.CSS_SELECTOR, "tbody tr")) == 4
    assert MALICE[0] in clusters.text
    assert not any(button.is_displayed() for button in browser.find_elements(By.TAG_NAME, "button"))
    assert browser.find_elements(By.ID, "injected") == []
