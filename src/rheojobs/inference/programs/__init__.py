"""Set up JAX, and cache compiled programs in memory and on disk.

Callers supply functions and keys; nothing here depends on data, models or fits.

Other rooms use:

- `jax_setup`: `configure_jax`, `cache_folder`
- `exported_program`: `StoredProgram`, `kept_on_disk`, `source_digest`
- `devices`: `default_device`, `device_named`, `on_device`, `platform`
- `kernel_cache`: `KernelCache`, `frozen`
- `pace`: `Pace`
- `cache_report`: `cache_info`, `clear_cache`
"""
