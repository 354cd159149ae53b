"""What the numbers were taken on."""

import os
import platform
from pathlib import Path


def load():
    """The load average of the last minute."""
    return round(os.getloadavg()[0], 2)


def describe():
    """The processor, its cores, the memory, the system and what else runs."""
    model = platform.processor()
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(pages * size / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}, {' '.join(platform.libc_ver())}",
        "load_before": load(),
    }
