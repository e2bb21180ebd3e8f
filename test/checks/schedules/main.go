// Command schedules tells when schedules fire by the parser that Kubernetes uses. It reads questions, one JSON object a
// line, and answers each with one.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

type question struct {
	Expression string
	Zone       string
	// Seconds since the epoch.
	After int64
	Count int
}

type answer struct {
	// Seconds since the epoch; fewer than asked for when no more come.
	Times   []int64 `json:"times"`
	Refused bool    `json:"refused"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	replies := json.NewEncoder(out)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			fail(err)
		}
		times, err := ask(asked)
		if err := replies.Encode(answer{Times: times, Refused: err != nil}); err != nil {
			fail(err)
		}
	}
	if err := lines.Err(); err != nil {
		fail(err)
	}
}

func ask(asked question) ([]int64, error) {
	times := []int64{}
	// What the API server asks of spec.schedule (pkg/apis/batch/validation: validateScheduleFormat).
	if strings.Contains(asked.Expression, "TZ") {
		return times, fmt.Errorf("names a time zone")
	}
	if _, err := cron.ParseStandard(asked.Expression); err != nil {
		return times, err
	}
	// How the CronJob controller reads it (pkg/controller/cronjob: formatSchedule).
	schedule, err := cron.ParseStandard(fmt.Sprintf("TZ=%s %s", asked.Zone, asked.Expression))
	if err != nil {
		return times, err
	}
	for at := time.Unix(asked.After, 0); len(times) < asked.Count; {
		if at = schedule.Next(at); at.IsZero() {
			break
		}
		times = append(times, at.Unix())
	}
	return times, nil
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
