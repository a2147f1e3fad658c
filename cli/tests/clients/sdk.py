"""Asks a stage of `proxyproof up` with the OpenAI and Anthropic SDKs, as a program would.

Arguments: the file that `--ready` wrote, and how to connect: plain, tls-h1 or tls-h2.
"""

import json
import ssl
import sys

import anthropic
import openai

ASKED = [{"role": "user", "content": "hi"}]


def connection(ready, way, sdk, versions):
    """An origin, and an HTTP client as the SDK wants it that notes the protocol of every answer."""
    hooks = {"response": [lambda answer: versions.append(answer.http_version)]}
    if way == "plain":
        return ready["plain_url"], sdk.DefaultHttpxClient(event_hooks=hooks, trust_env=False)
    trust = ssl.create_default_context(cafile=ready["ca_file"])
    http = sdk.DefaultHttpxClient(
        verify=trust, http2=way == "tls-h2", event_hooks=hooks, trust_env=False
    )
    return ready["base_url"], http


def ask_openai(origin, key, http):
    client = openai.OpenAI(base_url=f"{origin}/v1", api_key=key, http_client=http, max_retries=0)
    models = [model.id for model in client.models.list()]
    assert "m-fast" in models, models

    whole = client.chat.completions.create(model="m-fast", messages=ASKED)
    text = whole.choices[0].message.content
    assert text, whole
    chunks = list(client.chat.completions.create(model="m-fast", messages=ASKED, stream=True))
    parts = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert len(chunks) > 2 and "".join(parts), chunks

    answer = client.responses.create(model="gpt-5-codex", input="hi")
    assert answer.status == "completed" and answer.output_text, answer
    events = list(client.responses.create(model="gpt-5-codex", input="hi", stream=True))
    kinds = [event.type for event in events]
    assert kinds[0] == "response.created" and kinds[-1] == "response.completed", kinds
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == events[-1].response.output_text, kinds

    try:
        client.with_options(api_key="wrong").models.list()
    except openai.AuthenticationError:
        pass
    else:
        raise AssertionError("a wrong key was taken")


def ask_anthropic(origin, key, http):
    client = anthropic.Anthropic(base_url=origin, api_key=key, http_client=http, max_retries=0)
    whole = client.messages.create(model="claude-mock", max_tokens=9, messages=ASKED)
    assert whole.content[0].text, whole
    with client.messages.stream(model="claude-mock", max_tokens=9, messages=ASKED) as stream:
        parts = list(stream.text_stream)
        final = stream.get_final_message()
    assert parts and "".join(parts) == final.content[0].text, final
    count = client.messages.count_tokens(model="claude-mock", messages=ASKED)
    assert count.input_tokens > 0, count


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        ready = json.load(file)
    way, versions = sys.argv[2], []
    for sdk, ask in ((openai, ask_openai), (anthropic, ask_anthropic)):
        origin, http = connection(ready, way, sdk, versions)
        ask(origin, ready["api_key"], http)
    expected = "HTTP/2" if way == "tls-h2" else "HTTP/1.1"
    assert set(versions) == {expected}, versions
    print(len(versions), "answers")


main()
