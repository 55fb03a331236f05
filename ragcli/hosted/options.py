"""The options that every plug for a hosted model has, whatever the model does."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class HostedOptions(BaseModel):
    """How a provider is reached."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(min_length=1, description="Name of the model at the provider.")
    api_key_env: str | None = Field(
        None, description="Variable that holds the key; by default the provider's usual one."
    )
    base_url: str | None = Field(
        None, description="Address of the server; by default the provider's own."
    )
    timeout_s: float = Field(
        120, gt=0, le=3600, description="Longest silence of the server, in seconds."
    )
    retries: int = Field(
        3, ge=0, le=10, description="Further attempts when the server is busy or out of order."
    )
