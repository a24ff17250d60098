"""The devices of a simulated ChirpStack server. Does no I/O."""

from dataclasses import dataclass

from console.simulate.frames import APPLICATION, Frame

APPLICATION_ID = "5f9b1d2e-7c34-4a60-9e8f-21c07a6d3b15"
_TENANT_ID = "0e6a4c1b-93d7-4f58-b2aa-6d5c8f7e9013"
_PROFILE_ID = "b7c81f60-2a4d-4e9b-8d13-f05e6a9c7242"
_FIRST_DEVICE = 0x70B3D57ED0AA0001
_FIRST_ADDRESS = 0x00A67C21


@dataclass(frozen=True)
class Device:
    """A simulated device, counted from 0."""

    number: int

    @property
    def dev_eui(self) -> str:
        """What ChirpStack calls it."""
        return format(_FIRST_DEVICE + self.number, "016x")

    @property
    def address(self) -> str:
        """Its DevAddr."""
        return format(_FIRST_ADDRESS + self.number, "08x")

    @property
    def info(self) -> Frame:
        """What each of its events says of it."""
        return {
            "tenantId": _TENANT_ID,
            "tenantName": "Simulation",
            "applicationId": APPLICATION_ID,
            "applicationName": "climate",
            "deviceProfileId": _PROFILE_ID,
            "deviceProfileName": "climate sensor",
            "deviceName": f"climate-{self.number + 1}",
            "devEui": self.dev_eui,
            "deviceClassEnabled": "CLASS_A",
            "tags": {"app_eui": APPLICATION},
        }
