# ko: @title 준비: Otter와 공개 검사를 갖추고, 검사 결과를 알아보기 쉽게 보여 줍니다
# en: @title Set-up: gets Otter and the public checks, and shows in plain words what they say
def set_up():
    import ast
    import base64
    import bz2
    import itertools
    import json
    import re
    import subprocess
    import sys
    from html import escape
    from pathlib import Path

    try:
        import otter
    except ImportError:
        if subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "{{otter}}"]).returncode:
            print("Otter를 설치하지 못했습니다. 인터넷 연결과 노트북의 kernel을 확인한 뒤 이 셀을 다시 실행해 보세요.")  # ko
            print("Otter could not be installed. Check the internet connection and the notebook's kernel, then run this cell again.")  # en
        import otter

    public_checks = "{{checks}}"
    # ko: 채점할 때는 진짜 Otter가 아니므로 여기서 끝납니다.
    # en: while grading this is not the real Otter, and nothing is left to do
    if not hasattr(otter, "__version__"):
        return
    Path("tests").mkdir(exist_ok=True)
    looked_at = {}
    for file_name, source in json.loads(bz2.decompress(base64.b64decode(public_checks))).items():
        parameters = re.findall(r"def test_\w+\((.*?)\)", source, re.DOTALL)
        looked_at[Path(file_name).stem] = re.findall(r"\w+", " ".join(parameters))
        if not Path("tests", file_name).exists():
            Path("tests", file_name).write_text(source, encoding="utf-8")

    from IPython import get_ipython

    shell = get_ipython()
    if shell is None:
        return
    names = {{names}}
    clock = itertools.count(1)
    failed, ran, held, changed = {}, {}, {}, {}

    def same(one, other):
        """Whether a name that held *one* and now holds *other* stands for the same numbers."""
        if type(one) is not type(other):
            return False
        if hasattr(one, "equal"):
            return one.device == other.device and one.equal(other)
        return one is other or (isinstance(one, int) and one == other)

    def remember(result):
        """For each name that a cell binds, note when it ran, whether it ended with an error, and what it changed."""
        source = result.info.raw_cell or ""
        try:
            nodes = ast.walk(ast.parse(source))
            bound = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        except SyntaxError:
            bound = set(re.findall(r"(\w+)(?=[^\n=]*=(?!=))", source))
        failed.update(dict.fromkeys(bound, not result.success))
        now = next(clock)
        ran.update(dict.fromkeys(bound, now))
        for name in bound:
            value = shell.user_ns.get(name)
            if not same(held.get(name), value):
                held[name], changed[name] = value, now

    def told(file, brief=False):
        """What is said of one question, line by line; of one that passes, *brief* leaves out what was looked at."""
        said = []
        for result in file.test_case_results:
            if not result.passed:
                message = result.message or ""
                said.append(f"✗ {file.name}: " + (message.partition("AssertionError: ")[2] or message))
        if not said:
            passed = "통과."  # ko
            passed = "passed."  # en
            looked = [result.test_case.success_message or "" for result in file.test_case_results]
            said = [f"✓ {file.name} {passed}" if brief else f"✓ {file.name} {passed} {message}" for message in looked]
        own = names.get(file.name, [])
        answered = max((ran.get(name, 0) for name in own), default=0)
        later = ", ".join(f"`{name}`" for name in looked_at.get(file.name, []) if changed.get(name, 0) > answered)
        doubt = ""
        if any(shell.user_ns.get(name) is None for name in own):
            pass  # the check has said so
        elif any(failed.get(name) for name in own):
            doubt = "답 셀의 마지막 실행이 오류로 끝났습니다. 그 오류부터 고치세요. 아래는 오류가 나기 전에 남은 값을 본 결과입니다."  # ko
            doubt = "The last run of the answer cell ended with an error. Mend that first: what follows is about values from before it."  # en
        elif later and not file.passed_all:
            doubt = f"답 셀을 실행한 뒤에 바뀐 변수가 있습니다: {later}. 답 셀부터 다시 실행해 보세요."  # ko
            doubt = f"Changed since the answer cell ran: {later}. Run that cell again, then this check."  # en
        if doubt:
            said.insert(0, f"⚠ {file.name}: {doubt}")
        return list(dict.fromkeys("\n".join(said).split("\n")))

    def all_told(results):
        """What is said of all questions, and how many passed."""
        files = results.results.values()
        passed = sum(file.passed_all for file in files)
        lines = [line for file in files for line in told(file, brief=True)]
        return [*lines, f"{len(files)}문제 가운데 {passed}문제를 통과했습니다. 점수는 공개하지 않은 검사가 정합니다."]  # ko
        return [*lines, f"{passed} of {len(files)} questions passed. Hidden checks decide the points."]  # en

    def html(lines):
        shown = (re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(line)) for line in lines)
        return f'<div style="max-width: 60em">{"<br>".join(shown)}</div>'

    formatters = shell.display_formatter.formatters
    for place, kind, lines in (
        ("otter.test_files.exception_test", "ExceptionTestFile", told),
        ("otter.test_files", "GradingResults", all_told),
    ):
        formatters["text/html"].for_type_by_name(place, kind, lambda value, lines=lines: html(lines(value)))
        formatters["text/plain"].for_type_by_name(
            place, kind, lambda value, printer, cycle, lines=lines: printer.text("\n".join(lines(value)))
        )
    shell.events.register("post_run_cell", remember)


set_up()
