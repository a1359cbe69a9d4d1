"""Functions in .NET: executable assemblies, where there is a .NET that compiles and runs one; others are refused."""

import io
import json
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from tests.deployment import configuration, creation, functions, unique_name, wait_active

PROJECT = """
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>netVERSION.0</TargetFramework>
    <UseAppHost>false</UseAppHost>
    <ImplicitUsings>enable</ImplicitUsings>
  </PropertyGroup>
</Project>
"""
PROGRAM = """
var api = $"http://{Environment.GetEnvironmentVariable("AWS_LAMBDA_RUNTIME_API")}/2018-06-01/runtime/invocation";
using var client = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
while (true)
{
    using var next = await client.GetAsync($"{api}/next");
    var id = next.Headers.GetValues("Lambda-Runtime-Aws-Request-Id").First();
    var answer = $"[{await next.Content.ReadAsStringAsync()}, {Environment.Version.Major}]";
    await client.PostAsync($"{api}/{id}/response", new StringContent(answer));
}
"""


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, bytes]:
    """The runtime, and a package whose program speaks the Runtime API with nothing but .NET's own library."""
    dotnet = shutil.which("dotnet")
    if dotnet is None:
        pytest.skip("no .NET on this machine")
    told = subprocess.run([dotnet, "--list-sdks"], capture_output=True, text=True, check=True).stdout
    versions = [version for version in re.findall(r"^(\d+)\.", told, re.MULTILINE) if version in ("6", "8", "10")]
    if not versions:
        pytest.skip("no .NET SDK on this machine that compiles for a runtime of AWS's")
    directory = tmp_path_factory.mktemp("dotnet")
    (directory / "Hello.csproj").write_text(PROJECT.replace("VERSION", versions[-1]))
    (directory / "Program.cs").write_text(PROGRAM)
    subprocess.run([dotnet, "publish", "-c", "Release", "-o", "out"], cwd=directory, check=True)
    return f"dotnet{versions[-1]}", _zipped(directory / "out")


def _zipped(directory: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for file in directory.iterdir():
            archive.write(file, file.name)
    return buffer.getvalue()


def test_an_executable_assembly(lambda_client: Any, assembly: tuple[str, bytes]) -> None:
    runtime, package = assembly
    with functions(lambda_client, "dotnet") as deploy:
        name = deploy("", Runtime=runtime, Handler="Hello", Code={"ZipFile": package}, MemorySize=512)
        for number in (1, 2):
            answer = lambda_client.invoke(FunctionName=name, Payload=json.dumps(number))
            assert json.load(answer["Payload"]) == [number, int(runtime.removeprefix("dotnet"))]


def test_a_class_library_is_refused_with_the_way_out(lambda_client: Any) -> None:
    name = unique_name("dotnet")
    handler = "Hello::Hello.Function::Handle"
    lambda_client.create_function(**creation(name, "", Runtime="dotnet10", Handler=handler))
    with pytest.raises(WaiterError):
        wait_active(lambda_client, name)
    told = configuration(lambda_client, name)
    assert (told["State"], told["StateReasonCode"]) == ("Failed", "InvalidRuntime")
    assert told["StateReason"].startswith(f"The handler {handler} names a method of a class library, which Lampion")
    lambda_client.delete_function(FunctionName=name)
