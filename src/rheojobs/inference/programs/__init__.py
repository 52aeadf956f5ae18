"""JAX as this project uses it, and compiled programs kept in memory and on disk.

Knows no data, no models and no fits: these give it functions and keys.

Other rooms use:

- `jax_setup`: `configure_jax`, `cache_folder`
- `exported_program`: `StoredProgram`, `kept_on_disk`, `source_digest`
- `kernel_cache`: `KernelCache`, `frozen`
- `cache_report`: `cache_info`, `clear_cache`
"""
