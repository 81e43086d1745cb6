#!/usr/bin/env python3
"""Makes grafana/dashboards/*.json out of the table below: `grafana/make.py`, or `--check` to compare only."""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
SOURCE = {"type": "prometheus", "uid": "${source}"}
WINDOW = "$__rate_interval"
WIDTH = 24
HEIGHT = 8


def rate(metric, by="", where=""):
    """How much a counter grows a second, summed by labels."""
    grouped = f"sum by ({by}) " if by else "sum "
    return f"{grouped}(rate({metric}{where}[{WINDOW}]))"


def quantile(q, metric, by="", where=""):
    """A quantile of a histogram of seconds."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({q}, sum by ({labels}) (rate({metric}_bucket{where}[{WINDOW}])))"


def share(part, whole):
    """A part of a whole, 0 where there is no whole."""
    return f"{part} / ({whole} > 0) or vector(0)"


def gauge(metric, by=""):
    """The state of a gauge, summed by labels."""
    return f"sum by ({by}) ({metric})" if by else f"sum ({metric})"


SIZES = {"third": 8, "half": 12, "full": 24}

# Title of a dashboard: its uid, then rows of panels: title, what it tells, unit, width, (legend, expression)...
DASHBOARDS = {
    "Tessera: overview": ("tessera-overview", [
        ("Requests", [
            ("Rate", "Requests answered, by protocol.", "reqps", "third",
             [("{{protocol}}", rate("tessera_requests_total", "protocol"))]),
            ("Errors", "Requests without an answer, by who is to blame; those of clients are theirs.", "reqps", "third",
             [("{{kind}}", rate("tessera_faults_total", "kind"))]),
            ("Duration of tiles", "From the first byte read to the answer handed to the socket.", "s", "third",
             [(f"p{int(q * 100)}", quantile(q, "tessera_request_seconds", where='{class="tile"}'))
              for q in (0.5, 0.9, 0.99)]),
            ("Duration by class, p99", "Exports take seconds, tiles must not.", "s", "half",
             [("{{class}}", quantile(0.99, "tessera_request_seconds", "class"))]),
            ("Where the time goes", "Seconds of work a second, by stage.", "s", "half",
             [("{{stage}}", rate("tessera_stage_seconds_sum", "stage"))]),
        ]),
        ("Resources", [
            ("Processor", "Cores in use.", "none", "third",
             [("cores", f"rate(process_cpu_seconds_total[{WINDOW}])")]),
            ("Memory", "Resident memory, by what it is for.", "bytes", "third",
             [("{{owner}}", gauge("tessera_memory_bytes", "owner"))]),
            ("Refused", "Requests refused for want of room, by what was full.", "reqps", "third",
             [("{{lane}} {{reason}}", rate("tessera_shed_total", "lane, reason"))]),
            ("Under way", "Requests being answered or sent.", "short", "third",
             [("requests", gauge("tessera_requests_in_flight"))]),
            ("Files open", "Descriptors, and how many there may be.", "short", "third",
             [("open", "process_open_fds"), ("allowed", "process_max_fds")]),
            ("Sent", "Bytes of bodies a second.", "Bps", "third",
             [("sent", rate("tessera_bytes_sent_total"))]),
        ]),
        ("This server", [
            ("Version", "What runs.", "none", "third", [("{{version}}", "tessera_build_info")]),
            ("Up since", "Start of the process.", "dateTimeAsIso", "third",
             [("start", "process_start_time_seconds * 1000")]),
            ("Restarts", "Actors that failed and were replaced; each is a bug or a broken decoder.", "short", "third",
             [("{{actor}}", f"sum by (actor) (increase(tessera_restarts_total[{WINDOW}]))")]),
        ]),
    ]),
    "Tessera: caches": ("tessera-caches", [
        ("Answers", [
            ("Hit ratio", "Answers found among those kept.", "percentunit", "third",
             [("hits", share(rate("tessera_cache_lookups_total", where='{found="hit"}'),
                             rate("tessera_cache_lookups_total")))]),
            ("Outcomes", "What the cache did for a request.", "reqps", "third",
             [("{{outcome}}", rate("tessera_requests_total", "outcome"))]),
            ("Occupancy", "Bytes kept, and how many may be.", "bytes", "third",
             [("kept", gauge("tessera_cache_bytes")), ("allowed", "tessera_cache_bytes_max")]),
            ("Evictions", "Answers that made room, by shard; all shards alike, or the keys are not spread.", "ops", "third",
             [("{{shard}}", rate("tessera_cache_evictions_total", "shard"))]),
            ("Age of the evicted", "Half of what is evicted was kept longer. Minutes: the cache is too small.", "s", "third",
             [("p50", quantile(0.5, "tessera_cache_evicted_age_seconds"))]),
            ("Waited for another's work", "Requests for an answer that was being made already.", "reqps", "third",
             [("coalesced", rate("tessera_cache_coalesced_total"))]),
            ("Being made", "Answers in the making, by shard.", "short", "half",
             [("{{shard}}", gauge("tessera_cache_in_flight", "shard"))]),
            ("Kept", "Answers kept, by shard.", "short", "half",
             [("{{shard}}", gauge("tessera_cache_entries", "shard"))]),
        ]),
        ("Decoded tiles", [
            ("Hit ratio of decoded tiles", "Decoded tiles that several answers share.", "percentunit", "third",
             [("hits", share(rate("tessera_decoded_lookups_total", where='{found="hit"}'),
                             rate("tessera_decoded_lookups_total")))]),
            ("Occupancy of decoded tiles", "Bytes kept, and how many may be.", "bytes", "third",
             [("kept", "tessera_decoded_bytes"), ("allowed", "tessera_decoded_bytes_max")]),
            ("Decoded tiles kept and evicted", "Tiles kept, and those that make room a second.", "short", "third",
             [("kept", "tessera_decoded_entries"), ("evicted a second", rate("tessera_decoded_evictions_total"))]),
        ]),
    ]),
    "Tessera: codecs": ("tessera-codecs", [
        ("Reading and decoding", [
            ("Decode time, p99", "Time of decoding one stored tile, by container.", "s", "third",
             [("{{codec}}", quantile(0.99, "tessera_tile_decode_seconds", "codec"))]),
            ("Tiles decoded", "Stored tiles decoded a second.", "ops", "third",
             [("{{codec}}", rate("tessera_tile_decode_seconds_count", "codec"))]),
            ("Failures", "Images and tiles that could not be decoded.", "ops", "third",
             [("{{codec}} {{cause}}", rate("tessera_codec_failures_total", "codec, cause"))]),
            ("Pixels decoded for a pixel served", "Amplification: far above 4, somebody asks for regions that no level fits.",
             "none", "half",
             [("pixels", share(rate("tessera_pixels_decoded_total"), rate("tessera_pixels_served_total")))]),
            ("Bytes read for a pixel served", "A tile of JPEG is 0.2 bytes a pixel.", "decbytes", "half",
             [("bytes", share(rate("tessera_bytes_read_total"), rate("tessera_pixels_served_total")))]),
        ]),
        ("Encoding", [
            ("Encode time, p99", "Time of encoding one answer, by format.", "s", "half",
             [("{{format}}", quantile(0.99, "tessera_encode_seconds", "format"))]),
            ("Answers encoded", "Answers encoded a second.", "ops", "half",
             [("{{format}}", rate("tessera_encode_seconds_count", "format"))]),
        ]),
        ("Decoders in processes of their own", [
            ("Processes", "Processes of each module.", "short", "third",
             [("{{module}}", gauge("tessera_module_processes", "module"))]),
            ("Starts and deaths", "Processes started, and those that crashed or were ended.", "ops", "third",
             [("{{module}} starts", rate("tessera_module_starts_total", "module")),
              ("{{module}} {{reason}}", rate("tessera_module_deaths_total", "module, reason"))]),
            ("Jobs", "Jobs of modules' processes.", "ops", "third",
             [("{{module}} {{outcome}}", rate("tessera_module_jobs_total", "module, outcome"))]),
        ]),
    ]),
    "Tessera: admission": ("tessera-admission", [
        ("Room", [
            ("Pixels in work", "Bytes admitted, by lane, and the budget.", "bytes", "half",
             [("{{lane}}", gauge("tessera_bytes_in_decode", "lane")), ("budget", "tessera_bytes_in_decode_max")]),
            ("Waiting for room", "Requests that wait, by lane.", "short", "half",
             [("{{lane}}", gauge("tessera_admission_waiting", "lane"))]),
        ]),
        ("Queues", [
            ("Jobs", "Jobs waiting or at work, by pool and lane.", "short", "third",
             [("{{pool}} {{lane}}", gauge("tessera_pool_depth", "pool, lane")), ("allowed", "tessera_pool_jobs_max")]),
            ("Wait of tiles, p99", "Time until the turn of cheap work came.", "s", "third",
             [("{{queue}}", quantile(0.99, "tessera_queue_wait_seconds", "queue", '{lane="cheap"}'))]),
            ("Wait of exports, p99", "Time until the turn of dear work came.", "s", "third",
             [("{{queue}}", quantile(0.99, "tessera_queue_wait_seconds", "queue", '{lane="dear"}'))]),
            ("Refused", "Requests refused, by lane and by what was full.", "reqps", "third",
             [("{{lane}} {{reason}}", rate("tessera_shed_total", "lane, reason"))]),
            ("Would be refused", "What `pool.shadow` let in all the same.", "reqps", "third",
             [("{{lane}} {{reason}}", rate("tessera_would_shed_total", "lane, reason"))]),
            ("Mailboxes", "Messages that actors have not taken up.", "short", "third",
             [("{{actor}}", gauge("tessera_mailbox_depth", "actor"))]),
        ]),
    ]),
    "Tessera: images": ("tessera-images", [
        ("Images", [
            ("Open", "Images kept open, and how many may be.", "short", "third",
             [("open", "tessera_images_open"), ("allowed", "tessera_images_open_max")]),
            ("Opened", "Images opened, by container, and why.", "ops", "third",
             [("{{codec}} {{opened}}", rate("tessera_image_opens_total", "codec, opened"))]),
            ("Closed", "Images closed, and why. `bound`: images.open_max is too small.", "ops", "third",
             [("{{closed}}", rate("tessera_image_closes_total", "closed"))]),
        ]),
        ("In trouble", [
            ("Images in trouble", "Images that failed in the last hour; /images on the admin listener names them.",
             "short", "third", [("images", "tessera_images_in_trouble")]),
            ("Answers that failed", "Requests that an image is to blame for.", "reqps", "third",
             [("{{protocol}}", rate("tessera_faults_total", "protocol", '{kind="image"}'))]),
            ("Why", "Causes of failed opens and tiles.", "ops", "third",
             [("{{cause}}", rate("tessera_codec_failures_total", "cause"))]),
            ("Log lines lost", "Access lines that the disk or pipe did not take.", "ops", "third",
             [("lines", rate("tessera_log_lines_dropped_total"))]),
            ("Traces", "Traces that the collector took, and those that were lost, by why.", "ops", "third",
             [("sent", rate("tessera_traces_sent_total")),
              ("lost: {{lost}}", rate("tessera_traces_lost_total", "lost"))]),
            ("Threads", "Threads of the process.", "short", "third", [("threads", "process_threads")]),
            ("Address space", "Of the process.", "bytes", "third", [("bytes", "process_virtual_memory_bytes")]),
        ]),
    ]),
}


def panel(number, place, row):
    """One graph."""
    title, tells, unit, _, lines = row
    left, top, width = place
    targets = [
        {"refId": chr(ord("A") + index), "datasource": SOURCE, "expr": expression, "legendFormat": legend}
        for index, (legend, expression) in enumerate(lines)
    ]
    return {
        "id": number,
        "type": "timeseries",
        "title": title,
        "description": tells,
        "datasource": SOURCE,
        "gridPos": {"x": left, "y": top, "w": width, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": targets,
    }


def panels(rows):
    """All panels of a dashboard, row by row."""
    made, top = [], 0
    for title, graphs in rows:
        made.append({
            "id": len(made) + 1, "type": "row", "title": title, "collapsed": False, "panels": [],
            "gridPos": {"x": 0, "y": top, "w": WIDTH, "h": 1},
        })
        left, top = 0, top + 1
        for graph in graphs:
            width = SIZES[graph[3]]
            if WIDTH < left + width:
                left, top = 0, top + HEIGHT
            made.append(panel(len(made) + 1, (left, top, width), graph))
            left += width
        top += HEIGHT
    return made


def dashboard(title, uid, rows):
    """One dashboard as Grafana stores it."""
    source = {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    return {
        "uid": uid,
        "title": title,
        "tags": ["tessera"],
        "schemaVersion": 38,
        "version": 1,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [source]},
        "links": [{"title": "Tessera", "type": "dashboards", "tags": ["tessera"], "asDropdown": True}],
        "panels": panels(rows),
    }


def main():
    """Writes the files, or compares them."""
    stale = []
    for title, (uid, rows) in DASHBOARDS.items():
        path = HERE / "dashboards" / f"{uid}.json"
        text = json.dumps(dashboard(title, uid, rows), indent=1) + "\n"
        if sys.argv[1:] == ["--check"]:
            if not path.exists() or path.read_text() != text:
                stale.append(path.name)
        else:
            path.write_text(text)
    if stale:
        sys.exit(f"run grafana/make.py: it would change {', '.join(stale)}")


if __name__ == "__main__":
    main()
