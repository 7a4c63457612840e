"""Who is told of an incident: Slack and e-mail, through Airflow's connections where they are set.

`slack_alerts` is a connection of type Slack Incoming Webhook; `smtp_alerts` one of type SMTP, whose
extra says `from_email` and, by `to`, to whom.
"""

from __future__ import annotations

import logging
from html import escape
from typing import TYPE_CHECKING, Any

from lakehouse.orchestration.incidents import Page

if TYPE_CHECKING:
    from airflow.sdk import Connection

log = logging.getLogger(__name__)

SLACK, EMAIL = "slack_alerts", "smtp_alerts"
TIMEOUT_S = 10


def tell(subject: str, text: str) -> dict[str, Any]:
    """Tell every channel that is set; say which were told and which could not be."""
    told: list[str] = []
    not_told: dict[str, str] = {}
    for name, send in {SLACK: _slack, EMAIL: _email}.items():
        try:
            connection = _connection(name)
            if connection is None:
                continue
            send(connection, subject, text)
        except Exception as error:
            # Whatever a channel does must not hide the alert. Its words may hold its address,
            # which is a secret: so only the kind of error is kept.
            not_told[name] = type(error).__name__
            log.warning("%s could not be told: %s", name, type(error).__name__)
        else:
            told.append(name)
    return {"told": told, "not_told": not_told}


def page_address(page: Page) -> str:
    """Where a runbook is: in the project, and as a page where `make airflow` serves it."""
    from airflow.sdk.configuration import conf

    served = conf.get("lakehouse", "pages_url", fallback="")
    return f"{served or 'docs'}/runbooks/{page}.md"


def _connection(name: str) -> Connection | None:
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return BaseHook.get_connection(name)
    except AirflowNotFoundException:
        return None


# The providers are slow to import, and are not where no connection is set.
def _slack(_: Connection, _subject: str, text: str) -> None:
    from airflow.providers.slack.hooks.slack_webhook import SlackWebhookHook

    hook = SlackWebhookHook(slack_webhook_conn_id=SLACK, timeout=TIMEOUT_S, retry_handlers=[])
    hook.send(text=text)


def _email(connection: Connection, subject: str, text: str) -> None:
    from airflow.providers.smtp.hooks.smtp import SmtpHook

    with SmtpHook(smtp_conn_id=EMAIL) as hook:
        hook.send_email_smtp(
            to=connection.extra_dejson["to"],
            subject=subject,
            html_content=f"<pre>{escape(text)}</pre>",
        )
