"""The cookies of a sign-in as programs send them. Knows nothing of Django: clients of benchmarks start without it."""


def cookies_of(key: str) -> dict[str, str]:
    """What a browser would have, under the names of a server with TLS before it and of one without."""
    token = "x" * 32
    return {"sessionid": key, "csrftoken": token, "__Host-sessionid": key, "__Host-csrftoken": token}


def cookie_header(key: str) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies_of(key).items())
