"""What comes with rdsim besides its code: scenarios and experiments, where they are, and copies of them to change."""

from __future__ import annotations

from rdsim.shipped.copying import copy_scenario, with_name
from rdsim.shipped.place import ShippedScenario, experiments_of, folder_of, names, scenarios

__all__ = ["ShippedScenario", "copy_scenario", "experiments_of", "folder_of", "names", "scenarios", "with_name"]
