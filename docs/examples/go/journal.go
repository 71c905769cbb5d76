package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
)

// Line is what this service makes of one message, together with its place in the stream. Neither
// can be there without the other: a crash leaves a whole line or none.
type Line struct {
	LogID          string  `json:"logId"`
	Sequence       int64   `json:"sequence"`
	Type           string  `json:"type,omitempty"`
	ConnectionID   int64   `json:"connectionId,omitempty"`
	Order          string  `json:"order,omitempty"`
	StartAgainWith []Order `json:"startAgainWith,omitempty"`
}

// Order is one of those that were there when events had been missed.
type Order struct {
	ConnectionID int64  `json:"connectionId"`
	Order        string `json:"order"`
	Status       string `json:"status"`
}

// Journal is a file of lines.
type Journal struct {
	LogID    string // the place: at first from the oldest event that is kept
	Sequence int64
	file     *os.File
}

// OpenJournal finds the place, and cuts off the half of a line that a crash left.
func OpenJournal(path string) (*Journal, error) {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	whole := text[:bytes.LastIndexByte(text, '\n')+1]
	var last Line
	if lines := bytes.Split(bytes.TrimSpace(whole), []byte("\n")); len(whole) > 0 {
		if err := json.Unmarshal(lines[len(lines)-1], &last); err != nil {
			return nil, err
		}
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return &Journal{last.LogID, last.Sequence, file}, file.Truncate(int64(len(whole)))
}

// Write stores a line. MoveOn is for those that hold nothing but a place.
func (journal *Journal) Write(line Line) error {
	text, err := json.Marshal(line)
	if err != nil {
		return err
	}
	if _, err := journal.file.Write(append(text, '\n')); err != nil {
		return err
	}
	journal.LogID, journal.Sequence = line.LogID, line.Sequence
	return journal.file.Sync()
}

// MoveOn notes that nothing happened that concerns us, up to there.
func (journal *Journal) MoveOn(logID string, sequence int64) error {
	if logID == journal.LogID && sequence == journal.Sequence {
		return nil
	}
	return journal.Write(Line{LogID: logID, Sequence: sequence})
}
