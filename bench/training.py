def bench(site): return []
